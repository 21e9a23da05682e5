import type { Node } from '../model';

/** The nodes that take the place of a MatMulNBits whose weight is in float32 now: (in, out), with this name. */
export function inFloat(node: Node, weight: string): Node[] {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const bias = node.inputs[5];
  const plain = { ...node, domain: '', attributes: new Map() };
  const product = bias ? `${y}/product` : y;
  const matmul: Node = { ...plain, opType: 'MatMul', inputs: [x, weight], outputs: [product] };
  if (!bias) return [matmul];
  return [matmul, { ...plain, name: `${node.name}/bias`, opType: 'Add', inputs: [product, bias] }];
}
