import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluated, finished, makeRun, metrics, started } from '../test/unit/extension/run-maker';

const EVALUATIONS = 20;

/** Writes an experiment to `folder` with this many finished runs of twenty evaluations each. */
export function makeManyRuns(folder: string, count: number): string {
  const file = join(folder, 'demo.aurora.json');
  writeFileSync(file, '{}');
  for (let i = 0; i < count; i++) makeFinished(file, i);
  return file;
}

function makeFinished(file: string, i: number): void {
  const events = Array.from({ length: EVALUATIONS }, (_, k) => evaluated(6 * (k + 1), 0.5 + k / 100));
  makeRun(file, {
    at: new Date(Date.UTC(2025, 0, 1) + i * 60_000),
    events: [started, ...events, finished(120, 0.9)],
    status: { state: 'finished', step: 120 },
    result: { steps: 120, best: { ...metrics(0.9), step: 120 }, last: metrics(0.9) },
  });
}
