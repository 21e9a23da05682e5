import { expect, it } from 'vitest';
import { HEAD_ALONE, METHOD_ORDER } from '../../../src/experiment/methods';
import { hasGeometry } from '../../../src/study/geometry';

it('measures ΔW of all methods with one change of the weights of linear layers', () => {
  const without = [...METHOD_ORDER, HEAD_ALONE.method].filter((method) => !hasGeometry({ method }));
  expect(without.sort()).toEqual(['bitfit', 'lily', 'none', 'trainable-tokens']);
});
