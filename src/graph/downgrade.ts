import { attrInts } from './attributes';
import type { Graph, Node } from './model';
import { tensorNumbers } from './values';

/** The opset from which an operator takes its axes as an input rather than as an attribute. */
const AXES_INPUT_SINCE: Record<string, number> = {
  Squeeze: 13,
  Unsqueeze: 13,
  ReduceSum: 13,
  ReduceMean: 18,
};

/**
 * Turns nodes that we emitted at the internal opset into ones that a model of an older opset may hold.
 * Only for the few operators of a classification head, whose axes are constants.
 */
export function forOpset(nodes: readonly Node[], graph: Graph, opset: number): Node[] {
  return nodes.map((node) => {
    const since = AXES_INPUT_SINCE[node.opType];
    if (!since || opset >= since || node.inputs.length < 2 || attrInts(node, 'axes')) return node;
    const axes = tensorNumbers(graph.initializers.get(node.inputs[1])!);
    return {
      ...node,
      inputs: [node.inputs[0]],
      attributes: new Map([...node.attributes, ['axes', { type: 'ints', value: axes }]]),
    };
  });
}
