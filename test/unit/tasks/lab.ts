import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadExperiment } from '../../../src/runs/experiment/load';
import type { Experiment } from '../../../src/experiment/experiment';
import type { TaskName } from '../../../src/experiment/tasks/registry';
import { DType } from '../../../src/graph/dtype';
import type { Model } from '../../../src/graph/model';
import { temporaryFolder } from '../data/support';
import { emptyGraph, modelOf } from '../autodiff/check';

const TOKENIZER = join(import.meta.dirname, '../../fixtures/data/wordpiece/tokenizer.json');

/** A model as the kinds of task see it: its inputs. */
export const textModel: Model = modelOf({
  ...emptyGraph(),
  inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, dtype: DType.int64, shape: ['b', 's'] })),
});

/** A folder of data files, and experiments on them. */
export function taskLab(type: TaskName) {
  const folder = temporaryFolder();
  return {
    ...folder,
    spec(data: object, more: object = {}): Experiment {
      const file = join(folder.path, 'e.aurora.json');
      const value = {
        model: { path: 'model.onnx', tokenizer: TOKENIZER, maxLength: 12 },
        task: { type },
        data,
        ...more,
      };
      writeFileSync(file, JSON.stringify(value));
      return loadExperiment(file, []);
    },
  };
}
