import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Case } from '../autodiff/problem';
import { elementwise } from '../autodiff/cases/elementwise';
import { movement } from '../autodiff/cases/movement';
import { products } from '../autodiff/cases/products';
import { reductions } from '../autodiff/cases/reductions';
import { scatter } from '../autodiff/cases/scatter';
import { selection } from '../autodiff/cases/selection';
import { compareEngines } from './compare';

const CASES = { ...elementwise, ...movement, ...products, ...reductions, ...scatter, ...selection };

describe('TensorFlow.js and ONNX Runtime agree on an operator and its gradient', () => {
  it.each(Object.entries<Case>(CASES))('%s', async (_operator, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), (problem, seed) => compareEngines(problem, seed, 'cpu')),
      { numRuns: 6, seed: 2 },
    );
  });
});
