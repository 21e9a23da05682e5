import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AURORA_DEFAULTS } from '../../../src/adapters/methods/aurora';
import type { Experiment } from '../../../src/experiment/experiment';
import type { LoraSpec } from '../../../src/experiment/methods';
import { TASKS } from '../../../src/experiment/tasks/registry';
import { loadExperiment } from '../../../src/runs/experiment/load';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'aurora-defaults-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function load(...set: string[]): Experiment {
  const file = join(folder, 'demo.aurora.json');
  writeFileSync(file, '{ "model": { "path": "model.onnx" }, "data": { "train": "train.csv" } }');
  return loadExperiment(file, set);
}

describe('experiments', () => {
  it("give all defaults, with AuroRA's from the paper", () => {
    const expected: Experiment = {
      name: 'demo',
      model: { path: join(folder, 'model.onnx'), tokenizer: join(folder, 'tokenizer.json'), maxLength: 128 },
      task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
      data: {
        train: join(folder, 'train.csv'),
        validationFraction: 0.1,
        textColumn: 'text',
        labelColumn: 'label',
        onBadRow: 'fail',
      },
      adapter: {
        ...AURORA_DEFAULTS,
        targetModules: ['query', 'value'],
      },
      training: {
        epochs: 3,
        batchSize: 32,
        gradientAccumulation: 1,
        precision: 'float32',
        gradientCheckpointing: false,
        learningRate: 2e-3,
        headLearningRate: 2e-3,
        schedule: 'linear',
        warmupRatio: 0.06,
        weightDecay: 0.01,
        headWeightDecay: 0.01,
        decayBiases: true,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        maxGradientNorm: 1,
        seed: 42,
        groupByLength: true,
        evaluateEvery: 'epoch',
        checkpointEvery: 100,
        activationsEvery: 0,
        samples: 8,
        metric: 'accuracy',
      },
    };
    expect(load()).toEqual(expected);
    expect(load('adapter={}')).toEqual(expected);
    expect(load('adapter.method=aurora')).toEqual(expected);
  });

  it('give the defaults of the other methods and of early stopping', () => {
    const expected: LoraSpec = {
      method: 'lora',
      rank: 8,
      alpha: 16,
      useRslora: false,
      loraBias: false,
      dropout: 0,
      initialization: 'kaiming-uniform',
      targetModules: ['query', 'value'],
    };
    expect(load('adapter.method=lora').adapter).toEqual(expected);
    expect(load('adapter.method=none').adapter).toEqual({ method: 'none' });
    expect(load('training.earlyStopping.patience=3').training.earlyStopping).toEqual({
      patience: 3,
      minDelta: 0,
    });
  });

  it('have defaults of the columns and the metric that depend on the kind of task', () => {
    for (const [type, { columns, metrics }] of Object.entries(TASKS)) {
      const { data, training } = load(`task.type=${type}`);
      expect([data.textColumn, data.labelColumn, training.metric]).toEqual([
        columns.text,
        columns.label,
        metrics[0] ?? 'loss',
      ]);
    }
    const tagged = load('task.type=token-classification');
    expect(tagged.data).toMatchObject({ textColumn: 'tokens', labelColumn: 'tags' });
    expect(tagged.training.metric).toBe('entityF1');
    const set = ['data.labelColumn=ner_tags', 'training.metric=tagAccuracy'];
    const own = load('task.type=token-classification', ...set);
    expect(own.data).toMatchObject({ textColumn: 'tokens', labelColumn: 'ner_tags' });
    expect(own.training.metric).toBe('tagAccuracy');
  });

  it('do not share default values between experiments', () => {
    const first = load();
    first.training.betas[0] = 0;
    expect(load().training.betas).toEqual([0.9, 0.999]);
  });
});
