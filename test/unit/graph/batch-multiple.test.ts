import { expect, it } from 'vitest';
import { batchMultiple } from '../../../src/graph/sizes/batch-infos';

it('an axis of a probe is a multiple of the batch only if its sizes at batches of 2, 3 and 5 are', () => {
  expect(batchMultiple('batch')).toBe(1);
  expect(batchMultiple('32|48|80')).toBe(16);
  // 2 × 7, 3 × 11, 5 × 13: batch and length.
  expect(batchMultiple('14|33|65')).toBeUndefined();
  expect(batchMultiple('sequence')).toBeUndefined();
  expect(batchMultiple(16)).toBeUndefined();
});
