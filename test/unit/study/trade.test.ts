import { describe, expect, it } from 'vitest';
import { apart, trade } from '../../../src/study/figures/trade';
import { studyOf } from '../../../src/study/study';
import { aurora, lora, studyRun } from './runs';

describe('positions apart', () => {
  it('are the wanted ones if these are far enough from each other', () => {
    expect(apart([50, 10, 30], 10, 0, 100)).toEqual([50, 10, 30]);
  });

  it('are around the wanted ones otherwise, in their order', () => {
    expect(apart([50, 50, 50], 10, 0, 100)).toEqual([40, 50, 60]);
    // The mean stays where it was wanted.
    expect(apart([50, 50, 57], 10, 0, 100).map((v) => Math.round(10 * v) / 10)).toEqual([42.3, 52.3, 62.3]);
  });

  it('stay between the ends', () => {
    expect(apart([0, 1, 99, 100], 10, 5, 95)).toEqual([5, 15, 85, 95]);
  });

  it('go beyond the second end if there are too many', () => {
    expect(apart([50, 50, 50, 50], 10, 0, 20)).toEqual([0, 10, 20, 30]);
  });
});

describe('parameters against performance', () => {
  it('has room for the names of many methods of the same size, whose points stay near it', () => {
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
    // Side by side, and all near their number of parameters.
    expect(points.every((x, i) => i === 0 || x - points[i - 1] >= 1.99)).toBe(true);
    for (const half of [points.slice(0, 30), points.slice(30)])
      expect(half.at(-1)! - half[0]).toBeLessThan(60);
    expect(points[30] - points[29]).toBeGreaterThan(150);
    expect(points.at(-1)).toBeLessThan(names[0].x);
  });
});
