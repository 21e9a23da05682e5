import { describe, expect, it } from 'vitest';
import { FLOAT32_ONLY } from '../autodiff/float32-only';
import { compareEngines } from './compare';
import { FLOAT32 } from './float32-cases';

describe('both engines agree in float32, on outputs and gradients', () => {
  it.each(Object.entries(FLOAT32))('%s', (_, problem) => compareEngines(problem, 3, 'cpu'));

  it('and every operator without a float64 kernel is covered', () => {
    const names = new Set(Object.keys(FLOAT32).map((name) => name.split(',')[0]));
    expect([...names].sort()).toEqual([...FLOAT32_ONLY].sort());
  });
});
