import type { Node } from '../../model';
import { Barrier } from '../../pieces/barrier';
import type { RuleContext } from '../rule';

/**
 * Dequantizes a weight again once the gradient is there: otherwise it would stay in float32 from the forward pass to
 * the backward pass. Returns the weight itself if it is not a DequantizeLinear of constants.
 */
export function dequantizedAgain(c: RuleContext, weight: string, dy: string): string {
  const { initializers } = c.g.graph;
  const maker = initializers.has(weight) ? undefined : dequantizedIn(c).get(weight);
  if (!maker?.inputs.every((x) => x === '' || initializers.has(x))) return weight;
  return dequantizeAfter(c, maker.inputs, maker.attributes, dy);
}

interface Index {
  /** Nodes that are in it. */
  seen: number;
  byOutput: Map<string, Node>;
}

/** An index for each gradient graph. */
const indices = new WeakMap<RuleContext['extents'], Index>();

/** The DequantizeLinear nodes by their outputs. A search for each product would take seconds in a graph of thousands. */
function dequantizedIn({ g, extents }: RuleContext): ReadonlyMap<string, Node> {
  const index = indices.get(extents) ?? { seen: 0, byOutput: new Map<string, Node>() };
  indices.set(extents, index);
  const { nodes } = g.graph;
  for (; index.seen < nodes.length; index.seen++) {
    const node = nodes[index.seen];
    if (node.opType === 'DequantizeLinear') index.byOutput.set(node.outputs[0], node);
  }
  return index.byOutput;
}

/** @param inputs of DequantizeLinear: constants */
export function dequantizeAfter(
  c: RuleContext,
  [weight, scale, ...zero]: readonly string[],
  attributes: Node['attributes'],
  dy: string,
): string {
  const after = new Barrier(c.g, [dy]);
  return c.op('DequantizeLinear', [weight, after.pass(scale), ...zero], Object.fromEntries(attributes));
}
