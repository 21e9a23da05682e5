import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPaths } from '../src/runs/layout';
import type { Experiment } from '../src/experiment/experiment';
import { evaluated, finished, makeRun, metrics, started } from '../test/unit/extension/run-maker';

const EVALUATIONS = 20;

/** Writes an experiment to `folder` with this many finished runs of twenty evaluations each. */
export function makeManyRuns(folder: string, count: number): string {
  const file = join(folder, 'demo.aurora.json');
  writeFileSync(file, '{}');
  for (let i = 0; i < count; i++) makeFinished(file, i);
  return file;
}

/** The ranks of a sweep, with seeds. */
const RANKS = [1, 2, 4, 8, 16];
const RATES = [1e-4, 3e-4, 1e-3, 3e-3];

/**
 * Writes an experiment with this many finished runs of different settings: copies of a few that the product's own writers
 * made, since those flush every line to the disk.
 */
export function copyManyRuns(folder: string, count: number): string {
  const file = makeManyRuns(folder, 0);
  const runs = join(folder, '.aurora', 'runs', 'demo');
  const made = Array.from({ length: 10 }, (_, i) => makeFinished(file, i));
  for (let i = made.length; i < count; i++) {
    const from = made[i % made.length];
    const to = join(runs, nameOf(i));
    mkdirSync(to);
    for (const name of ['events', 'status', 'result'] as const)
      cpSync(runPaths(from)[name], runPaths(to)[name], { preserveTimestamps: true });
    const spec = JSON.parse(readFileSync(runPaths(from).spec, 'utf8')) as Experiment;
    const adapter = { ...spec.adapter, rank: RANKS[i % RANKS.length] };
    const training = {
      ...spec.training,
      seed: i,
      learningRate: RATES[Math.floor(i / RANKS.length) % RATES.length],
    };
    writeFileSync(runPaths(to).spec, JSON.stringify({ ...spec, adapter, training }, null, 2));
  }
  return file;
}

function makeFinished(file: string, i: number): string {
  const events = Array.from({ length: EVALUATIONS }, (_, k) => evaluated(6 * (k + 1), 0.5 + k / 100));
  return makeRun(file, {
    at: startOf(i),
    events: [started, ...events, finished(120, 0.9)],
    status: { state: 'finished', step: 120 },
    result: { steps: 120, best: { ...metrics(0.9), step: 120 }, last: metrics(0.9) },
  });
}

const startOf = (i: number): Date => new Date(Date.UTC(2025, 0, 1) + i * 60_000);

const nameOf = (i: number): string =>
  `${startOf(i).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z-${i.toString(16).padStart(8, '0')}`;
