import { attrInt, attrInts } from '../attributes';
import { GraphBuilder } from '../builder';
import { isFloat } from '../dtype';
import { moduleOfParameter } from '../layers/module-path';
import type { Graph, Node, Tensor } from '../model';
import { externalOf } from '../onnx/tensor';
import { readersOf } from '../reads';

/**
 * Convolutions of single pixels, by their modules' paths: each pixel's channels go through the same matrix (out, in, 1, 1),
 * which makes them linear layers in another layout.
 */
export function pixelConvolutions(graph: Graph): Map<string, Node> {
  const readers = readersOf(graph);
  const found = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.opType !== 'Conv' || node.domain !== '') continue;
    const weight = graph.initializers.get(node.inputs[1]!);
    const path = weight && moduleOfParameter(weight.name);
    if (path !== undefined && readers.get(weight!.name)!.length === 1 && isOfPixels(node, weight!))
      found.set(path, node);
  }
  return found;
}

function isOfPixels(node: Node, { dims, dtype }: Tensor): boolean {
  const all = (key: string, value: number) => (attrInts(node, key) ?? []).every((v) => v === value);
  return (
    isFloat(dtype) &&
    dims.length === 4 &&
    dims[2] === 1 &&
    dims[3] === 1 &&
    all('strides', 1) &&
    all('pads', 0) &&
    attrInt(node, 'group', 1) === 1
  );
}

/**
 * The graph with some of these as linear layers, which adapters can be put on: channels last, a product with the
 * transposed weight, now (out, in), and channels back. Other nodes stay the same objects.
 *
 * @param paths of `pixelConvolutions`
 */
export function convolutionsAsLinear(graph: Graph, paths: ReadonlySet<string>): Graph {
  const chosen = new Set(
    [...pixelConvolutions(graph)].flatMap(([path, node]) => (paths.has(path) ? [node] : [])),
  );
  if (chosen.size === 0) return graph;
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/pixels', nodes);
  for (const node of graph.nodes) {
    if (!chosen.has(node)) {
      nodes.push(node);
      continue;
    }
    const [x, weight, bias] = node.inputs;
    result.initializers.set(weight!, asMatrix(graph.initializers.get(weight!)!));
    const last = g.op('Transpose', [x!], { perm: [0, 2, 3, 1] });
    const product = g.op('MatMul', [last, g.op('Transpose', [weight!], { perm: [1, 0] })]);
    const y = bias ? g.op('Add', [product, bias]) : product;
    g.op('Transpose', [y], { perm: [0, 3, 1, 2] }, { outputs: [node.outputs[0]!], name: node.name });
  }
  return result;
}

function asMatrix(tensor: Tensor): Tensor {
  const matrix = { ...tensor, dims: tensor.dims.slice(0, 2) };
  const external = externalOf.get(tensor);
  if (external) externalOf.set(matrix, external);
  return matrix;
}
