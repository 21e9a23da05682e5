import { expect, test } from 'vitest';
import { threadCount } from '../../../src/cli/command';

test.each([
  [undefined, {}, 0],
  [undefined, { OMP_NUM_THREADS: '3' }, 3],
  ['2', { OMP_NUM_THREADS: '3' }, 2],
  // One per core, whatever the environment says.
  ['0', { OMP_NUM_THREADS: '3' }, 0],
  // OpenMP's list for nested regions: the first number is that of the outermost.
  [undefined, { OMP_NUM_THREADS: ' 4,2' }, 4],
  [undefined, { OMP_NUM_THREADS: '' }, 0],
  [undefined, { OMP_NUM_THREADS: '-2' }, 0],
  [undefined, { OMP_NUM_THREADS: '2.5' }, 0],
  [undefined, { OMP_NUM_THREADS: 'all' }, 0],
])('--threads %s with %o: %i threads', (given, environment, threads) => {
  expect(threadCount(given, environment)).toBe(threads);
});
