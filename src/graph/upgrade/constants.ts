import { DType } from '../dtype';
import type { Attribute, Graph, Node, Tensor } from '../model';
import { tensorOf } from '../values';

/** A copy of a graph with initializers in place of its Constant nodes; those of strings and sparse tensors stay. */
export function liftConstants(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const tensor = constantOf(node);
    if (tensor) initializers.set(tensor.name, tensor);
    return !tensor;
  });
  return { ...graph, nodes, initializers };
}

function constantOf(node: Node): Tensor | undefined {
  if (node.opType !== 'Constant' || node.domain !== '') return undefined;
  const [name] = node.outputs;
  for (const [kind, a] of node.attributes) {
    const tensor = toTensor(name, kind, a);
    if (tensor) return tensor;
  }
  return undefined;
}

function toTensor(name: string, kind: string, a: Attribute): Tensor | undefined {
  if (kind === 'value' && a.type === 'tensor') return { ...a.value, name };
  if (kind === 'value_float' && a.type === 'float') return tensorOf(name, DType.float, [], [a.value]);
  if (kind === 'value_floats' && a.type === 'floats')
    return tensorOf(name, DType.float, [a.value.length], a.value);
  if (kind === 'value_int' && a.type === 'int') return int64(name, [], [a.value]);
  if (kind === 'value_ints' && a.type === 'ints') return int64(name, [a.value.length], a.value);
  return undefined;
}

/** Integers beyond 2^53 arrive as bigints and must not be converted to a number. */
function int64(name: string, dims: number[], values: (number | bigint)[]): Tensor {
  return { name, dtype: DType.int64, dims, data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}
