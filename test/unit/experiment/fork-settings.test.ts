import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../../../src/runs/experiment/load';
import type { Experiment } from '../../../src/experiment/experiment';
import { forkedExperiment } from '../../../src/runs/experiment/setting-changes';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('fork');

function experiment(training: object = {}, data: object = {}): Experiment {
  const file = join(folder, 'a.aurora.json');
  const value = {
    model: { path: 'model.onnx' },
    task: { type: 'text-classification' },
    data: { train: 'train.csv', validation: 'validation.csv', ...data },
    adapter: { method: 'lora', targetModules: ['query'] },
    training,
  };
  writeFileSync(file, JSON.stringify(value));
  return loadExperiment(file);
}
const change = (spec: Experiment, ...overrides: string[]) => forkedExperiment(spec, overrides, 'spec.json');

describe('the settings of a fork', () => {
  it("equal the run's if nothing is changed or a setting is set to its current value", () => {
    const spec = experiment({ learningRate: 0.5 });
    expect(change(spec)).toEqual({ spec, changed: [] });
    expect(
      change(spec, 'training.learningRate=0.5', 'training.batchSize=' + spec.training.batchSize),
    ).toEqual({
      spec,
      changed: [],
    });
  });

  it('keep what a position in the epoch means', () => {
    const spec = {
      ...experiment({ metric: 'loss' }),
      task: { type: 'causal-language-modeling', head: 'none' },
    } as Experiment;
    for (const key of ['batchSize=3', 'gradientAccumulation=2', 'packing=true'])
      expect(() => change(spec, `training.${key}`)).toThrow('the position in the epoch would shift');
  });

  it('keep a separate learning rate of the head', () => {
    const spec = experiment({ learningRate: 0.5, headLearningRate: 0.25 });
    const { changed } = change(spec, 'training.learningRate=0.1');
    expect(changed).toEqual([{ key: 'training.learningRate', from: 0.5, to: 0.1 }]);
  });

  it('report a setting that had no value before', () => {
    const { changed } = change(experiment(), 'training.earlyStopping={"patience":3}');
    expect(changed).toEqual([
      { key: 'training.earlyStopping.patience', from: undefined, to: 3 },
      { key: 'training.earlyStopping.minDelta', from: undefined, to: 0 },
    ]);
  });

  it('may change the seed, unless it also split the data', () => {
    const { changed } = change(experiment(), 'training.seed=9');
    expect(changed.map((c) => c.key)).toEqual(['training.seed']);
    expect(() => change(experiment({}, { validation: undefined }), 'training.seed=9')).toThrow(
      /cannot change training\.seed: it also decides which rows are held out/,
    );
  });
});
