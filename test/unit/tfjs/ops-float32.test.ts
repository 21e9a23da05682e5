import { describe, expect, it } from 'vitest';
import { FLOAT32_ONLY } from '../autodiff/float32-only';
import { compareEngines } from './compare';
import { FLOAT32 } from './float32-cases';

describe('both engines agree in float32, forward and gradient', () => {
  it.each(Object.entries(FLOAT32))('%s', (_, problem) => compareEngines(problem, 3, 'cpu'));

  it('on all operators that have no float64 kernel', () => {
    const names = new Set(Object.keys(FLOAT32).map((name) => name.split(',')[0]));
    expect([...names].sort()).toEqual([...FLOAT32_ONLY].sort());
  });
});
