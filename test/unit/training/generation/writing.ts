import { IGNORE_LABEL } from '../../../../src/tasks/objective';
import type { Writing } from '../../../../src/tasks/kind';

/** A request to write after a prompt, until one of `ends`. */
export const writing = (
  prompt: readonly number[],
  maxTokens: number,
  beams: number,
  ends = [1],
): Writing => ({
  prompt,
  maxTokens,
  beams,
  ends: new Set(ends),
  example: (ids) => ({
    ...{ size: ids.length, ids: Int32Array.from(ids), row: 0 },
    targets: new Int32Array(ids.length).fill(IGNORE_LABEL),
  }),
  keep: () => [],
});
