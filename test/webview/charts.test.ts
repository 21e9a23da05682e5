import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { columnsOf } from '../../webview/charts/chart-columns';
import { extent, rangeY, drawnRange, lastAtMost, lowerBound, nearest } from '../../webview/charts/curve';
import { layoutFlags } from '../../webview/charts/flag-lane';
import type { Mark } from '../../webview/charts/chart-marks';
import { formatBytes, formatNumber } from '../../webview/run/run-numbers';
import { durationText } from '../../src/base/number-text';
import { weightFor } from '../../src/study/smoothing';
import { Smoothed, RunData } from '../../webview/run/run-data';
import { chartCsv } from '../../webview/run/save-chart';
import { LOSS, QUANTITIES } from '../../webview/run/quantities';
import type { RunEvent } from '../../src/protocol/events';
import { differences, flatten } from '../../webview/run/settings-table';
import { clampZoom } from '../../webview/run/chart-views';
import { closePages } from './harness';
import { RunFolder, watch, type Watched } from './run-fixture';

let open: Watched | undefined;
afterEach(() => open?.stop().then(() => (open = undefined)));
afterAll(closePages);

describe('the computations of a chart', () => {
  const x = Float64Array.of(1, 2, 4, 8);

  it('finds positions in ascending values', () => {
    expect([0, 1, 3, 8, 9].map((v) => lowerBound(x, v))).toEqual([0, 0, 2, 3, 4]);
    expect([0, 1, 3, 8, 9].map((v) => lastAtMost(x, v))).toEqual([-1, 0, 1, 3, 3]);
    expect([-5, 2.9, 3.1, 6.1, 99].map((v) => nearest(x, v))).toEqual([0, 1, 2, 3, 3]);
    expect(nearest(new Float64Array(0), 1)).toBe(-1);
    expect(drawnRange(x, 2, 4)).toEqual([0, 4]);
  });

  it('fits the axis to what is visible and can be drawn', () => {
    const curve = { x, y: Float64Array.of(5, NaN, -1, 3), color: 0, dash: 0, width: 1 };
    expect(extent([curve], 1, 8, false)).toEqual([-1, 5]);
    expect(extent([curve], 1, 8, true)).toEqual([3, 5]);
    expect(extent([curve], 3, 5, true)).toBeUndefined();
  });

  it('ends the axis of a bounded metric at its bound', () => {
    const range = (values: number[], within?: [number, number]) => {
      const curve = { x, y: Float64Array.from(values), color: 0, dash: 0, width: 1 };
      return rangeY({ curves: [curve], min: 1, max: 8, within });
    };
    expect(range([0.9, 1, 1, 1], [0, 1])).toEqual([expect.closeTo(0.894), 1]);
    expect(range([1, 1, 1, 1], [0, 1])).toEqual([0.9, 1]);
    expect(range([-1, 1, 0, 0], [-1, 1])).toEqual([-1, 1]);
    // Rounding errors are not drawn as a curve.
    expect(range([80, 80 + 1e-12, 80, 80])).toEqual([72, expect.closeTo(88)]);
    expect(range([0.9, 1, 1, 1])[1]).toBeGreaterThan(1);
    // A value that should be impossible is not cut off.
    expect(range([0.9, 1.1, 1, 1], [0, 1])[1]).toBe(1.1);
    const loss = { x, y: Float64Array.of(5, 0.01, 3, 4), color: 0, dash: 0, width: 1 };
    expect(rangeY({ curves: [loss], min: 1, max: 8, within: [0, Infinity] })[0]).toBe(0);
    const share = { curves: [loss], min: 1, max: 8, fromZero: true, within: [0, 6] } as const;
    expect(rangeY(share)).toEqual([0, 5.5]);
    expect(rangeY({ ...share, log: true, fromZero: false })[1]).toBe(5.5);
  });

  it('keeps what is visible of each pixel column, and where the line is interrupted', () => {
    const count = 20_000;
    // Uneven steps, so that some columns have many values and some have none.
    const x = Float64Array.from({ length: count }, (_, i) => i + (i > 12_000 ? 3000 : 0));
    const y = Float64Array.from(x, (v, i) => (i > 5000 && i < 6000 ? NaN : Math.sin(v * 7.3) * (i % 97)));
    y[1234] = -1e6;
    const [min, max, left, width] = [500.25, 21_500.4, 60, 701];
    const scale = width / (max - min);
    const projection = {
      min,
      max,
      log: false,
      x: (v: number) => left + (v - min) * scale,
      y: (v: number) => -v,
    };
    const curve = { x, y, color: 0, dash: 0, width: 1 };
    const columns = columnsOf(curve, projection, 1)!;
    const byColumn = new Map<number, number[]>();
    for (let i = 501; i < count; i++) {
      if (Number.isNaN(y[i]) || x[i] > max) continue;
      const at = Math.floor((x[i] - min) * scale);
      byColumn.set(at, [...(byColumn.get(at) ?? []), y[i]]);
    }
    const found = Array.from({ length: columns.length }, (_, k) => k).filter(
      (k) => columns.x[k] > left && columns.x[k] < left + width,
    );
    expect(found.length).toBe(byColumn.size);
    for (const k of found) {
      const values = byColumn.get(columns.x[k] - left - 0.5)!;
      expect([columns.first[k], columns.last[k]]).toEqual([values[0], values.at(-1)]);
      expect([columns.low[k], columns.high[k]]).toEqual([Math.min(...values), Math.max(...values)]);
    }
    expect(Math.min(...columns.low.subarray(0, columns.length))).toBe(-1e6);
    // The line is interrupted at the first point and after NaN, and nowhere else.
    expect(columns.joined.subarray(0, columns.length).filter((j) => j === 0)).toHaveLength(2);
    const few = { ...curve, x: x.subarray(0, 900), y: y.subarray(0, 900) };
    expect(columnsOf(few, projection, 1)).toBeUndefined();
  });

  it('smooths according to its formula, also for values that arrive one by one', () => {
    const y = Float64Array.from({ length: 50 }, (_, i) => (i === 7 ? NaN : Math.sin(i)));
    const w = 0.9;
    const finite = [...y].filter(Number.isFinite);
    const formula = (n: number) => {
      const part = finite.slice(0, n);
      const weights = part.map((_, i) => w ** (n - 1 - i));
      return part.reduce((sum, v, i) => sum + v * weights[i], 0) / weights.reduce((a, b) => a + b);
    };
    const smoothed = new Smoothed(() => y, w);
    for (const n of [1, 10, 30]) smoothed.extend(n);
    const out = smoothed.extend(50);
    expect(out[0]).toBeCloseTo(y[0], 12);
    expect(out[7]).toBeNaN();
    expect(out[49]).toBeCloseTo(formula(49), 12);
    smoothed.truncate(20);
    expect(smoothed.extend(50)[49]).toBe(out[49]);
  });

  it('shows marks as flags that do not overlap, the most important of several', () => {
    const mark = (x: number, kind?: Mark['kind']): Mark => ({ x, kind, label: 'event' });
    const marks = [
      mark(500, 'best'),
      mark(0, 'warning'),
      mark(505, 'checkpoint'),
      mark(520, 'stopped'),
      mark(9000),
    ];
    const lay = (all: Mark[], width = 1000) => layoutFlags([...all, { x: 40 }], (x) => x, width, 32);
    const flags = lay(marks);
    expect(flags.map(({ left, kind, marks: own }) => [left, kind, own.length])).toEqual([
      [0, 'warning', 1],
      [510, 'stopped', 3],
    ]);
    expect(flags[1].marks.map((m) => m.x)).toEqual([500, 505, 520]);
    const many = lay(Array.from({ length: 300 }, (_, i) => mark((i * 37) % 900, 'checkpoint')));
    many.slice(1).forEach(({ left }, i) => expect(left - many[i].left).toBeGreaterThanOrEqual(31.999));
    expect(many.reduce((n, f) => n + f.marks.length, 0)).toBe(300);
    // An event of another version, without a kind, is not less important than what is known.
    expect(lay([mark(1), mark(2, 'warning')])[0].kind).toBe('alarm');
  });

  it('smooths more the longer a run is, and not at all with few values', () => {
    expect([0, 5, 29, 30, 100, 300, 900, 10_000, 1e6].map(weightFor)).toEqual([
      ...[0, 0, 0, 0, 0.7, 0.9, 0.95, 0.995, 0.999],
    ]);
  });

  it('writes every value as CSV, of several runs with their names', () => {
    const [one, two] = ['a', 'b'].map((name, i) => {
      const run = new RunData(name, i);
      const values = Float64Array.of(1, 0.5, 2, 0.25 + i);
      run.apply({ run: name, records: { from: 0, columns: ['step', 'loss'], values } });
      const metrics = { loss: 0.75, accuracy: 0.5, examples: 4 };
      const event = {
        v: 1,
        seq: 0,
        t: 0,
        kind: 'evaluation',
        step: 2,
        epoch: 1,
        best: true,
        seconds: 1,
        metrics,
      };
      run.apply({ run: name, events: { from: 0, list: [event as RunEvent] } });
      return run;
    });
    const accuracy = QUANTITIES.find((q) => q.key === 'accuracy')!;
    expect(chartCsv(LOSS, [one])).toBe('step,epoch,loss,validation loss\r\n1,,0.5,\r\n2,,0.25,0.75\r\n');
    expect(chartCsv(accuracy, [one, two])).toBe('run,step,epoch,accuracy\r\na,2,1,0.5\r\nb,2,1,0.5\r\n');
  });

  it('keeps a zoom within the data', () => {
    expect(clampZoom([-50, 50], [0, 200])).toEqual([0, 100]);
    expect(clampZoom([150, 250], [0, 200])).toEqual([100, 200]);
    expect(clampZoom([-1, 500], [0, 200])).toBeUndefined();
    expect(clampZoom([10.2, 10.4], [0, 200], 2)).toEqual([10.2, 12.2]);
  });

  it('formats numbers for reading', () => {
    expect([0.39083923, 0, 1234.5, 1e-5, 2.5e7, NaN].map(formatNumber)).toEqual([
      '0.391',
      '0',
      '1,235',
      '1e-5',
      '2.5e7',
      '–',
    ]);
    expect([59, 61, 3723].map(durationText)).toEqual(['59 s', '1 min 1 s', '1 h 2 min']);
    expect(formatBytes(1.5e9)).toBe('1.5 GB');
  });

  it('finds the settings that differ', () => {
    const a = flatten({ name: 'a', training: { rate: 1, betas: [0.9, 0.99] } });
    const b = flatten({ name: 'a', training: { rate: 2, betas: [0.9, 0.99], maxSteps: 5 } });
    expect(differences([a, b])).toEqual(['training.rate', 'training.maxSteps']);
  });
});

describe('a chart with a hundred thousand points', () => {
  it('loses no spike to decimation', async () => {
    const run = new RunFolder('long', 100_000);
    run.start();
    run.append(1, 61_803);
    run.append(61_804, 61_804, 100);
    run.append(61_805, 100_000);
    run.status('stopped', 100_000);
    const w = (open = await watch([run.folder]));
    await expect
      .poll(() => w.page.getByRole('slider', { name: 'Loss' }).getAttribute('aria-valuemax'))
      .toBe('100000');
    await w.settled();
    // The spike is five times as high as everything else. Without it, the upper half would contain no line.
    const columns = await w.page.locator('[data-chart=loss] canvas').evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
      const blue = (px: number, py: number) => {
        const at = 4 * (py * width + px);
        return data[at + 2] > data[at] + 20 && data[at + 3] > 40;
      };
      const found = [];
      for (let px = 70; px < width - 10; px++) if (blue(px, Math.round(height * 0.4))) found.push(px / width);
      return found;
    });
    expect(columns.length).toBeGreaterThan(0);
    expect(columns.length).toBeLessThan(10);
    expect(columns[0]).toBeGreaterThan(0.6);
    expect(columns[0]).toBeLessThan(0.66);
    expect(await w.complaints()).toEqual([]);
  });
});
