import { toAttribute } from '../attributes';
import { ownBias } from './weight-operands';
import type { Node } from '../model';

/** The nodes that take the place of a linear layer's node whose weight is in float32 now: (in, out), with this name. */
export function inFloat(node: Node, weight: string): Node[] {
  const [x] = node.inputs;
  const [y] = node.outputs;
  if (node.opType === 'Gemm') {
    const attributes = new Map(node.attributes)
      .set('transB', toAttribute(0))
      .set('alpha', toAttribute({ float: 1 }));
    return [{ ...node, attributes, inputs: [x, weight, ...node.inputs.slice(2)] }];
  }
  const bias = node.inputs[ownBias(node)];
  const plain = { ...node, domain: '', attributes: new Map() };
  if (!ownBias(node)) return [{ ...plain, opType: 'MatMul', inputs: [x, weight] }];
  const product = `${y}/product`;
  return [
    { ...plain, opType: 'MatMul', inputs: [x, weight], outputs: [product] },
    { ...plain, name: `${node.name || y}/bias`, opType: 'Add', inputs: [product, bias] },
  ];
}
