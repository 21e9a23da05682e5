import { elementCount } from '../graph/model';
import type { AdapterBudget } from '../shared/budget';
import type { BudgetAdapter, BudgetModule } from './budget';
import { basisCount } from './spline';

/**
 * Floating-point operations of an adapter's matrix products; a multiply-add counts as two. Every trainable
 * tensor of our methods is one factor of one product, so each of its numbers costs 2 operations a token and
 * call forward, and 4 backward: 2 for its own gradient, 2 to pass the gradient on. The first adapted module
 * passes none on, which the count leaves aside.
 */
export function flopsOf(adapters: readonly BudgetAdapter[], tokens: number): AdapterBudget['flops'] {
  const used = adapters.reduce((sum, { layer, tensors }) => {
    const numbers = tensors.reduce((n, t) => n + elementCount(t.dims), 0);
    return sum + layer.calls * numbers;
  }, 0);
  return { forward: 2 * used, backward: 4 * used, step: 6 * used * tokens };
}

/** Values of σ's parts in one forward pass of one token: r(G+k) spline bases, 2r activations a call. */
export function nonlinearOf(adapters: readonly BudgetAdapter[]): AdapterBudget['nonlinear'] {
  let bases = 0;
  let activations = 0;
  for (const { layer, spec } of adapters) {
    if (spec.method !== 'aurora') continue;
    if (spec.learnable) bases += layer.calls * spec.rank * basisCount(spec);
    if (spec.fixed) activations += layer.calls * 2 * spec.rank;
  }
  return { bases, activations };
}

/** The frozen linear layers' own products, forward, for one token: 2 · in · out a call. */
export const modelForwardFlops = (modules: readonly BudgetModule[]): number =>
  modules.reduce((sum, m) => sum + 2 * m.calls * m.inFeatures * m.outFeatures, 0);
