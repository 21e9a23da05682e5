import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepSpec } from '../../src/experiment/sweep';

/**
 * `random`: each trial has different settings, as when a search begins. `grid`: learning rates, ranks and ten seeds, as
 * in a comparison of methods.
 */
export type SweepKind = 'random' | 'grid';

export const STEPS = 1000;
/** The step at which successive halving first compares trials. */
export const FIRST_RUNG = 100;
/** Steps between evaluations. */
export const EVERY = 50;

/** Writes an experiment with a sweep of so many trials, and small files in place of its model and data. */
export function writeExperiment(folder: string, trials: number, kind: SweepKind): string {
  const file = join(folder, 'study.aurora.json');
  mkdirSync(join(folder, 'files'), { recursive: true });
  for (const { name, content } of FILES) writeFileSync(join(folder, 'files', name), content);
  const training = {
    epochs: 10,
    batchSize: 16,
    learningRate: 1e-3,
    evaluateEvery: EVERY,
    checkpointEvery: 100,
  };
  const experiment = {
    model: { path: 'files/model.onnx', maxLength: 128 },
    task: { type: 'text-classification' },
    data: {
      train: 'files/train.jsonl',
      validation: 'files/validation.jsonl',
      textColumn: 'text',
      labelColumn: 'label',
    },
    adapter: { method: 'aurora', rank: 2, alpha: 4, targetModules: ['query', 'value'] },
    training,
    cluster: { slurm: { cpus: 1 } },
    sweep: sweepOf(trials, kind),
  };
  writeFileSync(file, `${JSON.stringify(experiment, null, 2)}\n`);
  return file;
}

function sweepOf(trials: number, kind: SweepKind): Partial<SweepSpec> {
  if (kind === 'random')
    return {
      type: 'random',
      count: trials,
      parameters: {
        'training.learningRate': { min: 1e-4, max: 1e-2, scale: 'log' },
        'adapter.rank': [1, 2, 4, 8, 16],
        'adapter.alpha': { min: 1, max: 32 },
      },
      pruning: { eta: 3, minSteps: FIRST_RUNG },
    };
  return {
    type: 'grid',
    parameters: {
      'adapter.rank': numbers(Math.min(10, trials / 100)),
      'adapter.alpha': numbers(Math.max(1, trials / 1000)),
      'training.learningRate': numbers(10).map((i) => i / 1000),
      'training.seed': numbers(10),
    },
  };
}

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

const FILES = ['model.onnx', 'tokenizer.json', 'train.jsonl', 'validation.jsonl'].map((name) => {
  const content = Buffer.alloc(100_000, name);
  return { name, content, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
});

const ROLES = {
  model: 'model.onnx',
  tokenizer: 'tokenizer.json',
  train: 'train.jsonl',
  validation: 'validation.jsonl',
} as const;

/**
 * The files that the trials were trained on, as a node of the cluster found them: its file system has other identities.
 */
export const inputsOf = (folder: string) =>
  (Object.keys(ROLES) as (keyof typeof ROLES)[]).map((role) => {
    const { name, size, sha256 } = FILES.find((file) => file.name === ROLES[role])!;
    return { role, path: join(folder, 'files', name), size, sha256 };
  });
