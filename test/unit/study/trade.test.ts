import { describe, expect, it } from 'vitest';
import { apart, trade } from '../../../src/study/figures/trade';
import { studyOf } from '../../../src/study/study';
import { aurora, lora, studyRun } from './runs';

describe('positions apart', () => {
  const gaps = (at: number[]) =>
    at
      .slice()
      .sort((a, b) => a - b)
      .map((v, i, all) => v - (all[i - 1] ?? -Infinity))
      .slice(1);

  it('are the wanted ones if these are far enough from each other', () => {
    expect(apart([50, 10, 30], 10, 0, 100)).toEqual([50, 10, 30]);
  });

  it('are around the wanted ones otherwise, in their order', () => {
    expect(apart([50, 50, 50], 10, 0, 100)).toEqual([40, 50, 60]);
    // The third one is pushed by the others, and takes them back by a third of that.
    expect(apart([50, 50, 57], 10, 0, 100).map((v) => Math.round(10 * v) / 10)).toEqual([42.3, 52.3, 62.3]);
  });

  it('stay between the ends', () => {
    expect(apart([0, 1, 99, 100], 10, 5, 95)).toEqual([5, 15, 85, 95]);
  });

  it('go beyond the second end if there are too many', () => {
    const at = apart(
      Array.from({ length: 20 }, () => 50),
      10,
      0,
      100,
    );
    expect([Math.min(...at), Math.max(...at)]).toEqual([0, 190]);
    expect(gaps(at).every((gap) => gap === 10)).toBe(true);
  });
});

describe('parameters against performance', () => {
  it('has room for the names and the points of many methods of the same size', () => {
    const runs = Array.from({ length: 60 }, (_, i) => {
      const run = studyRun(i % 2 ? aurora({ alpha: i + 1 }) : lora(i + 1), 1, 0.5 + i / 1000);
      return { ...run, parameters: i < 30 ? 1000 : 4000 };
    });
    const [section] = studyOf(runs, {}).sections;
    const { shapes, height } = trade(section, 'accuracy', 720);
    const names = shapes.filter((s) => s.kind === 'text' && s.class === 'label') as {
      x: number;
      y: number;
    }[];
    expect(names).toHaveLength(60);
    const rows = names.map(({ y }) => y).sort((a, b) => a - b);
    expect(rows.every((y, i) => i === 0 || y - rows[i - 1] >= 14.99)).toBe(true);
    expect(rows.at(-1)).toBeLessThan(height);
    const leaders = shapes.filter((s) => s.kind === 'path' && s.class.startsWith('leader')) as unknown as {
      points: [number, number][];
    }[];
    const points = leaders.map(({ points: [[x]] }) => x).sort((a, b) => a - b);
    expect(points.every((x, i) => i === 0 || x - points[i - 1] > 4)).toBe(true);
    expect(points.at(-1)).toBeLessThan(names[0].x);
  });
});
