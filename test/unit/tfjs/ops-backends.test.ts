import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Case } from '../autodiff/problem';
import { movement } from '../autodiff/cases/movement';
import { products } from '../autodiff/cases/products';
import { reductions } from '../autodiff/cases/reductions';
import { scatter } from '../autodiff/cases/scatter';
import { selection } from '../autodiff/cases/selection';
import { onWebgpu } from '../../webgpu';
import { compareEngines } from './compare';
import { FLOAT32 } from './float32-cases';

/**
 * Operators on which backends differ: missing kernels, rank limits, integers. All others run the same code
 * everywhere.
 */
const { Expand, Transpose, Tile, Trilu, Pad } = movement;
const { ReduceMax, ReduceMean, CumSum } = reductions;
const CASES: Record<string, Case> = {
  ...{ Expand, Transpose, Tile, Trilu, Pad, ReduceMax, ReduceMean, CumSum, MatMul: products.MatMul },
  ...scatter,
  ...selection,
};

describe.each([
  ['wasm', true],
  ['webgpu', onWebgpu],
] as const)('both engines agree, with TensorFlow.js on %s', (device, here) => {
  it.runIf(here).each(Object.entries(CASES))('%s', async (_, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), (problem, seed) => compareEngines(problem, seed, device)),
      { numRuns: 3, seed: 4 },
    );
  });

  it.runIf(here).each(Object.entries(FLOAT32).filter(([name]) => /Conv|Normalization|Pool|PRelu/.test(name)))(
    '%s',
    (_, problem) => compareEngines(problem, 5, device),
  );
});
