import { expect, it } from 'vitest';
import { RecentLoss } from '../../../../src/runs/curve/recent-loss';
import { ScalarsWriter } from '../../../../src/runs/curve/scalars';
import { MovingAverage, weightFor } from '../../../../src/study/smoothing';
import { temporaryFolders } from '../folder';

const folder = temporaryFolders();

/** Noisy, and falling. */
const lossOf = (step: number): number => 2 / Math.sqrt(step) + 0.3 * Math.sin(12.9898 * step);

function write(run: string, from: number, to: number, loss = lossOf): void {
  const writer = ScalarsWriter.open(run, from - 1);
  const rest = {
    time: 1e12,
    learningRate: 1e-3,
    gradientNorm: 1,
    examples: 8,
    tokens: 80,
    seconds: 0.1,
    memory: 1,
  };
  for (let step = from; step <= to; step++) writer.append({ step, loss: loss(step), ...rest });
  writer.flush();
  writer.close();
}

/** As the dashboard computes it, from the whole curve. */
function whole(steps: number, loss = lossOf): number {
  const average = new MovingAverage(weightFor(steps));
  let value = NaN;
  for (let step = 1; step <= steps; step++) value = average.add(loss(step));
  return value;
}

it('the recent loss of a run is the headline of its dashboard, while the curve grows', async () => {
  const run = folder();
  const recent = new RecentLoss(run);
  expect(await recent.read()).toBeUndefined();
  for (const [from, to] of [
    [1, 1],
    [2, 20],
    [21, 400],
    [401, 403],
    [404, 403],
    [404, 30_000],
  ]) {
    write(run, from, to);
    expect(await recent.read(), `${to} steps`).toBeCloseTo(whole(to), 5);
  }
  // A resume replaces what followed its checkpoint, here with as many steps as before.
  const other = (step: number) => (step > 29_000 ? 5 : lossOf(step));
  write(run, 29_001, 30_000, other);
  expect(await recent.read()).toBeCloseTo(whole(30_000, other), 5);
  // The loss of a batch that was not finite is not shown.
  write(run, 30_001, 30_001, () => NaN);
  expect(await recent.read()).toBeUndefined();
});
