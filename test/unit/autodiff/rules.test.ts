import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiableOps } from '../../../src/graph/autodiff/rule-registry';
import { elementwise } from './cases/elementwise';
import { movement } from './cases/movement';
import { products } from './cases/products';
import { reductions } from './cases/reductions';
import { scatter } from './cases/scatter';
import { selection } from './cases/selection';
import { checkGradients } from './check';
import { FLOAT32_ONLY, QUANTIZED } from './float32-only';
import type { Case } from './problem';

const CASES = { ...elementwise, ...movement, ...products, ...reductions, ...scatter, ...selection };

describe('gradients agree with finite differences', () => {
  it.each(Object.entries<Case>(CASES))('%s', async (_operator, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), (problem, seed) => checkGradients(problem, seed)),
      { numRuns: 15, seed: 1 },
    );
  });

  it('cover every operator that has a rule', () => {
    expect(Object.keys(CASES).concat(FLOAT32_ONLY, QUANTIZED).sort()).toEqual(differentiableOps().sort());
  });
});
