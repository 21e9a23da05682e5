import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../src/experiment/experiment';
import { toolRun } from '../../../src/extension/tools/tool-run';
import { readRunSummary } from '../../../src/runs/run-summary';
import { planOf, planText, rememberEstimate } from '../../../src/tools/plan';
import type { ToolHost } from '../../../src/tools/tool';
import { makeRun, spec, started } from '../extension/run-maker';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();

/** A machine on which the model cannot be read: then only the data are known. */
const host = {
  program: () => Promise.resolve({ code: 4, stdout: '', stderr: 'no model' }),
} as unknown as ToolHost;

const trainedOn = (train: string, training: Partial<Experiment['training']> = {}): Experiment => ({
  ...spec,
  data: { ...spec.data, train, validation: train },
  training: { ...spec.training, ...training },
});

it('knows the number of steps from maxSteps, otherwise from the rows of a text file', async () => {
  const train = join(folder(), 'train.csv');
  writeFileSync(train, `text,label\n${'a,b\n'.repeat(100)}`);
  expect((await planOf(host, trainedOn(train, { maxSteps: 5 }), [])).steps).toBe(5);
  // 100 rows in batches of 16 are 7 steps an epoch.
  expect((await planOf(host, trainedOn(train, { epochs: 3 }), [])).steps).toBe(21);
  expect((await planOf(host, trainedOn(train, { epochs: 3, gradientAccumulation: 2 }), [])).steps).toBe(12);
  expect((await planOf(host, trainedOn('/none/train.parquet'), [])).steps).toBeUndefined();
});

it('knows it from an earlier run on the same data, whatever their format', async () => {
  const at = folder();
  const file = join(at, 'demo.aurora.json');
  const experiment = trainedOn('/data/train.parquet', { epochs: 1 });
  const run = makeRun(file, { at: new Date(0), spec: experiment, events: [{ ...started, trainExamples: 64 } as never], status: {} }); // prettier-ignore
  const summary = readRunSummary(run);
  const entry = toolRun({ folder: run, id: summary.id, experiment: file, state: 'stopped', run: summary, user: {} }); // prettier-ignore
  expect((await planOf(host, { ...experiment, name: 'other' }, [entry])).steps).toBe(4);
  expect((await planOf(host, trainedOn('/data/other.parquet'), [entry])).steps).toBeUndefined();
});

it('takes all from a preflight of exactly this experiment', async () => {
  const experiment = trainedOn('/data/measured.parquet');
  const estimate = { kind: 'estimate', secondsPerStep: 1, steps: 90, evaluations: 3, minutes: 2, otherMinutes: 0.5, memoryBytes: 3e9, trainable: 10 } as const; // prettier-ignore
  rememberEstimate(experiment, estimate);
  const plan = await planOf(host, experiment, []);
  expect(plan).toEqual({ steps: 90, seconds: 120, memory: 3e9, isMeasured: true });
  expect(planText(plan)).toBe('About 90 steps, 2 min, 3.0 GB of memory, as a preflight measured.');
  const changed = { ...experiment, training: { ...experiment.training, batchSize: 8 } };
  expect((await planOf(host, changed, [])).isMeasured).toBe(false);
});

it('says what is not known', () => {
  expect(planText({ isMeasured: false })).toBe(
    'Its time and memory are not known: a preflight measures them.',
  );
  expect(planText({ steps: 1, memory: 1e9, isMeasured: false })).toBe(
    'About 1 step, 1.0 GB of memory; its time is not known: a preflight measures it.',
  );
  expect(planText({ steps: 20, seconds: 40, memory: 1e9, isMeasured: false })).toBe(
    'About 20 steps, 40 s, 1.0 GB of memory, estimated for the CPU and the longest inputs: a preflight measures it.',
  );
});
