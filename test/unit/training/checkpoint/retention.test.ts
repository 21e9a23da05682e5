import { describe, expect, it } from 'vitest';
import { checkpointsToKeep } from '../../../../src/training/checkpoint/checkpoint-store';

/** A run that writes a checkpoint every `every` steps. `bestAt` gives the best step so far. */
function grow(every: number, last: number, bestAt: (step: number) => number | undefined = () => undefined) {
  let kept: number[] = [];
  for (let step = every; step <= last; step += every) {
    const before = new Set([...kept, step]);
    kept = [...checkpointsToKeep([...kept, step], step, bestAt)]
      .filter((s) => before.has(s))
      .sort((a, b) => a - b);
  }
  return kept;
}

describe('the checkpoints that a run keeps', () => {
  it('are all of them at first', () => {
    expect(grow(10, 100)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(grow(1, 20)).toHaveLength(20);
    expect(grow(1, 21).length).toBeLessThan(21);
  });

  it.each([1, 3, 7, 10, 500, 1000])('are spread evenly over a long run with one every %i steps', (every) => {
    for (const n of [100, 137, 1000]) {
      const last = every * n;
      const kept = grow(every, last);
      expect(kept.length).toBeGreaterThanOrEqual(10);
      expect(kept.length).toBeLessThanOrEqual(22);
      expect(kept.slice(-2)).toEqual([last - every, last]);
      const gaps = kept.map((step, i) => step - (kept[i - 1] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(last / 5 + every);
    }
  });

  it('include the best one as of each kept checkpoint, and no other best', () => {
    const bestAt = (step: number) => [5, 17, 333, 901].filter((s) => s <= step).at(-1);
    const kept = grow(1, 1000, bestAt);
    for (const step of kept) {
      const best = bestAt(step);
      if (best !== undefined) expect(kept).toContain(best);
    }
    expect(kept.length).toBeLessThanOrEqual(22 + 4);
  });

  it('exclude those after the step that a resume returned to', () => {
    expect(checkpointsToKeep([10, 20, 30, 40], 30, () => 10)).toEqual(new Set([10, 20, 30]));
  });
});
