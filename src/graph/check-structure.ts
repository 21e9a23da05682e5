import { AuroraError } from '../base/errors';
import { checkValueInfo } from './declared';
import type { Graph, Model } from './model';

/**
 * Rejects structures that the wire format allows and no code here expects: a node without outputs, types and shapes
 * that cannot be decoded, and a tensor named `__proto__`, since ONNX Runtime passes tensors by name in plain objects,
 * where that name is the object's prototype.
 *
 * @throws AuroraError 'model'
 */
export function checkStructure({ graph }: Model, path: string): void {
  checkGraph(graph, path);
  const taken =
    graph.initializers.has('__proto__') ||
    graph.inputs.some((i) => i.name === '__proto__') ||
    graph.nodes.some((n) => n.outputs.includes('__proto__'));
  if (taken)
    throw new AuroraError(
      'model',
      `${path} has a tensor named __proto__, which ONNX Runtime's JavaScript API cannot handle.`,
      'Rename the tensor, or export the model again.',
    );
}

function checkGraph(graph: Graph, path: string): void {
  try {
    checkValueInfo(graph);
  } catch (e) {
    throw new AuroraError(
      'model',
      `${path} declares a tensor whose type or shape cannot be read: ${(e as Error).message}.`,
      'The file is damaged: export or download it again.',
      { cause: e },
    );
  }
  for (const node of graph.nodes) {
    if (node.outputs.every((y) => y === ''))
      throw new AuroraError(
        'model',
        `${path} has a node without outputs: ${node.name || 'without a name'} (${node.opType}).`,
        'The file is damaged, or its exporter has a bug: export it again.',
      );
    for (const a of node.attributes.values()) if (a.type === 'graph') checkGraph(a.value, path);
  }
}
