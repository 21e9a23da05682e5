import type { AdapterBudget } from '../../protocol/budget';
import type { BudgetAdapter, BudgetModule } from './budget';
import { methodOf } from '../methods/registry';
import { basisCount } from '../methods/spline';
import { isNonlinear } from '../../experiment/methods';

/**
 * Floating-point operations of the adapters' products as each method counts them, with a multiply-add as two: forward
 * and backward for one token, `step` for all tokens of a step plus the work done once per step.
 */
export function flopsOf(adapters: readonly BudgetAdapter[], tokens: number): AdapterBudget['flops'] {
  const sum = { forward: 0, backward: 0, step: 0 };
  for (const adapter of adapters) {
    const { calls } = adapter.layer;
    const { forward, backward, step = 0 } = methodOf(adapter.spec).flops(adapter);
    sum.forward += calls * forward;
    sum.backward += calls * backward;
    sum.step += calls * (tokens * (forward + backward) + step);
  }
  return sum;
}

/** Values of σ's parts in one forward pass of one token: r(G+k) spline bases, 2r activations per call. */
export function nonlinearOf(adapters: readonly BudgetAdapter[]): AdapterBudget['nonlinear'] {
  let bases = 0;
  let activations = 0;
  for (const { layer, spec } of adapters) {
    if (!isNonlinear(spec)) continue;
    if (spec.learnable) bases += layer.calls * spec.rank * basisCount(spec);
    if (spec.fixed) activations += layer.calls * 2 * spec.rank;
  }
  return { bases, activations };
}

/** The frozen linear layers' own products, forward, for one token: 2 · in · out per call. */
export const modelForwardFlops = (modules: readonly BudgetModule[]): number =>
  modules.reduce((sum, m) => sum + 2 * m.calls * m.inFeatures * m.outFeatures, 0);
