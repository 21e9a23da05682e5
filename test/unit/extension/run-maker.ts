import { appendFileSync } from 'node:fs';
import { writeAtomic } from '../../../src/files/atomic';
import { thisProcess } from '../../../src/files/processes';
import { Journal } from '../../../src/runs/journal/journal';
import { createRun, experimentRuns, runPaths } from '../../../src/runs/layout';
import { writeStatus } from '../../../src/runs/status';
import type { EvaluationMetrics, NewEvent, RunStatus } from '../../../src/protocol/events';
import type { Experiment } from '../../../src/experiment/experiment';
import { auroraSpec } from '../specs';

export const spec: Experiment = {
  name: 'demo',
  model: { path: '/models/m.onnx', tokenizer: '/models/tokenizer.json', maxLength: 128 },
  task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
  data: {
    train: '/data/train.jsonl',
    validationFraction: 0.1,
    textColumn: 'text',
    labelColumn: 'label',
    onBadRow: 'fail',
  },
  adapter: auroraSpec({ targetModules: 'all-linear', alpha: 2 }),
  training: {
    epochs: 3,
    batchSize: 16,
    gradientAccumulation: 1,
    precision: 'float32',
    gradientCheckpointing: false,
    learningRate: 1e-3,
    headLearningRate: 1e-3,
    schedule: 'linear',
    warmupRatio: 0,
    weightDecay: 0,
    headWeightDecay: 0,
    decayBiases: false,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    maxGradientNorm: 1,
    seed: 0,
    groupByLength: false,
    evaluateEvery: 'epoch',
    checkpointEvery: 100,
    activationsEvery: 0,
    samples: 0,
    metric: 'accuracy',
  },
};

export const metrics = (accuracy: number): EvaluationMetrics => ({
  loss: 1 - accuracy,
  accuracy,
  f1: accuracy,
  matthews: accuracy,
  examples: 100,
});

export const started: NewEvent = {
  kind: 'started',
  pid: process.pid,
  steps: 120,
  epochs: 3,
  trainExamples: 640,
  validationExamples: 100,
  labels: ['a', 'b'],
  modules: ['layer.0.query'],
  trainable: 1000,
  trainableHead: 100,
};

export const evaluated = (step: number, accuracy: number, best = true): NewEvent => ({
  kind: 'evaluation',
  step,
  epoch: step / 40,
  metrics: metrics(accuracy),
  best,
  seconds: 1,
});

export const finished = (step: number, accuracy: number): NewEvent => ({
  kind: 'finished',
  step,
  best: { ...metrics(accuracy), step },
  last: metrics(accuracy),
  seconds: 60,
});

/** A run folder made by the product's own writers: what `aurora train` leaves, without the weights. */
export function makeRun(
  experimentFile: string,
  options: {
    at?: Date;
    spec?: Experiment;
    events?: readonly NewEvent[];
    status?: Partial<RunStatus>;
    result?: Record<string, unknown>;
  } = {},
): string {
  const run = createRun(experimentRuns(experimentFile), options.at);
  writeAtomic(runPaths(run).spec, `${JSON.stringify(options.spec ?? spec, null, 2)}\n`);
  if (options.events) {
    const journal = Journal.open(runPaths(run).events);
    for (const event of options.events) journal.append(event);
    journal.close();
  }
  if (options.status) setStatus(run, options.status);
  if (options.result) writeAtomic(runPaths(run).result, `${JSON.stringify(options.result)}\n`);
  return run;
}

/** By default, writes the status of a live run with this process as its trainer. */
export const setStatus = (run: string, status: Partial<RunStatus>): void =>
  writeStatus(run, {
    ...thisProcess(),
    nonce: 'n',
    state: 'running',
    step: 0,
    steps: 120,
    startedAt: Date.now(),
    heartbeat: Date.now(),
    ...status,
  });

export const appendRaw = (run: string, line: string): void => appendFileSync(runPaths(run).events, line);
