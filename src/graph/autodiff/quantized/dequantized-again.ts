import type { Node } from '../../model';
import { Barrier } from '../../pieces/barrier';
import type { RuleContext } from '../rule';

/**
 * The same weight, dequantized again once the gradient is there: otherwise it would stay in float32 from the forward pass to
 * the backward pass. The weight itself if it is not a DequantizeLinear of constants.
 */
export function dequantizedAgain(c: RuleContext, weight: string, dy: string): string {
  const { nodes, initializers } = c.g.graph;
  const maker = initializers.has(weight) ? undefined : nodes.find((n) => n.outputs[0] === weight);
  if (maker?.opType !== 'DequantizeLinear' || !maker.inputs.every((x) => x === '' || initializers.has(x)))
    return weight;
  return dequantizeAfter(c, maker.inputs, maker.attributes, dy);
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
