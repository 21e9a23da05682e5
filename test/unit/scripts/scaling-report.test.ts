import { expect, it } from 'vitest';
import { report, slope, slopes, type Point } from '../../../scripts/lib/bench/scaling-report.mjs';

const SIZES = [1, 10, 100];
const MACHINE = { cpu: 'CPU', cores: 2, memoryGB: 4, system: 'linux x64', node: '20', onnxruntime: '1.30' };

/** Points whose FLOPs grow linearly, and whose times grow with a power, in rounds of different load. */
const points = (power: number): Point[] =>
  SIZES.map((size) => ({
    size,
    flops: 5 * size,
    estimate: size ** power,
    times: [1, 3, 2].map((load) => load * size ** power),
  }));

it('a slope is the power with which a quantity grows', () => {
  expect(slope(SIZES, [3, 300, 30000])).toBeCloseTo(2, 10);
  expect(slope(SIZES, [7, 7, 7])).toBeCloseTo(0, 10);
});

it('load that changes from round to round changes no slope', () => {
  const { all, end } = slopes('batch', points(0.9));
  for (const value of [...all.time, ...end.time]) expect(value).toBeCloseTo(0.9, 10);
  expect(all.flops).toBeCloseTo(1, 10);
});

it('the report names what grows faster than the FLOPs', () => {
  const about = { machine: MACHINE, threads: 2, rounds: 3, busy: 0.25 };
  const fine = report([slopes('batch', points(0.9))], about);
  expect(fine).toContain('No slope is more than 0.05 above that of the FLOPs.');
  expect(fine).toContain('Other programs used 25% of the processors');
  expect(fine).toMatch(/\| batch \(texts\) \| +1 to 100 \| .* \| +0\.90 \(0\.90 to 0\.90\) \| +1\.00 \|/);
  expect(report([slopes('batch', points(0.9)), slopes('length', points(1.5))], about)).toContain(
    'Steeper than the FLOPs by more than 0.05: length.',
  );
});
