import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { storedModel } from '../../../src/architectures/stored';
import { possibleTasks } from '../../../src/extension/wizard/possible-tasks';
import { summarize } from '../../../src/graph/summary';

const ROOT = join(import.meta.dirname, '../../..');
const HEADS = [
  'text-classification',
  'text-regression',
  'multi-label-classification',
  'token-classification',
];

function tasksOf(path: string): string[] {
  const source = modelSource(join(ROOT, path));
  const model = loadModelFrom(source, 'structure');
  return possibleTasks({ ...storedModel(source, model), ...summarize(model) });
}

describe('New Experiment offers', () => {
  it('an encoder without logits the tasks with a new head alone', () => {
    expect(tasksOf('test/fixtures/reference/bert.onnx')).toEqual(HEADS);
  });

  it('an image model the tasks on images', () => {
    expect(tasksOf('test/fixtures/reference/vit.onnx')).toEqual(['image-classification']);
    expect(tasksOf('test/fixtures/hf/vit')).toEqual(['image-classification']);
    expect(tasksOf('test/fixtures/hf/siglip2-vision')).toEqual(['image-classification']);
  });

  it('a decoder no masked language modeling, and an encoder with a masked head no causal', () => {
    const written = ['causal-language-modeling', 'multiple-choice'];
    expect(tasksOf('test/fixtures/hf/llama')).toEqual(expect.arrayContaining([...HEADS, ...written]));
    expect(tasksOf('test/fixtures/hf/llama')).not.toContain('masked-language-modeling');
    expect(tasksOf('test/fixtures/hf/bert')).toContain('masked-language-modeling');
    for (const task of written) expect(tasksOf('test/fixtures/hf/bert')).not.toContain(task);
  });

  it('an ONNX file with logits for each token every task on texts, since its attention is not known', () => {
    expect(tasksOf('demo/models/debian-llama/model.onnx')).toEqual(
      expect.arrayContaining(['causal-language-modeling', 'masked-language-modeling']),
    );
  });

  it('a pipeline of diffusers pictures of a subject alone', () => {
    expect(tasksOf('test/fixtures/diffusers/sdxl')).toEqual(['subject-generation']);
  });
});
