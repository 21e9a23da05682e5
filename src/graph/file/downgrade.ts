import { attrInts } from '../attributes';
import type { Attribute, Graph, Node } from '../model';
import { tensorNumbers } from '../values';
import { own } from '../../base/names';

/** The opset from which an operator takes these as inputs (after its first) rather than as attributes. */
const INPUTS_SINCE: Record<string, { opset: number; names: string[] }> = {
  Slice: { opset: 10, names: ['starts', 'ends', 'axes'] },
  Squeeze: { opset: 13, names: ['axes'] },
  Unsqueeze: { opset: 13, names: ['axes'] },
  ReduceSum: { opset: 13, names: ['axes'] },
  ReduceMean: { opset: 18, names: ['axes'] },
};

/**
 * Converts nodes that we emitted at the internal opset to ones that an older opset allows. Supports only the few
 * operators of a classification head, whose axes are constants; those constants are removed from the graph.
 */
export function forOpset(nodes: readonly Node[], graph: Graph, opset: number): Node[] {
  const replaced = new Set<string>();
  const result = nodes.map((node) => {
    const since = own(INPUTS_SINCE, node.opType);
    if (!since || opset >= since.opset || node.inputs.length < 2 || attrInts(node, 'axes')) return node;
    const attributes = new Map<string, Attribute>(node.attributes);
    for (const [i, name] of since.names.entries()) {
      const input = node.inputs[i + 1];
      replaced.add(input);
      attributes.set(name, { type: 'ints', value: tensorNumbers(graph.initializers.get(input)!) });
    }
    return { ...node, inputs: [node.inputs[0]], attributes };
  });
  const used = new Set(result.flatMap((n) => n.inputs));
  for (const name of replaced) if (!used.has(name)) graph.initializers.delete(name);
  return result;
}
