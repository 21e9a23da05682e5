import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { loadExperiment } from '../../../src/runs/experiment/load';

let file: string;
beforeAll(() => (file = join(mkdtempSync(join(tmpdir(), 'aurora-pictures-')), 'demo.aurora.json')));
afterAll(() => rmSync(join(file, '..'), { recursive: true, force: true }));

function load(...set: string[]) {
  writeFileSync(file, '{ "model": { "path": "sd" }, "data": { "train": "images" } }');
  return loadExperiment(file, set);
}

function errorOf(...set: string[]): string {
  try {
    load(...set);
  } catch (e) {
    if (e instanceof AuroraError) return e.message;
    throw e;
  }
  throw new Error('It was accepted.');
}

const PICTURES = 'task.type=subject-generation';

describe('an experiment with pictures', () => {
  it('says of which number its resolution is a multiple', () => {
    expect(errorOf(PICTURES, 'task.resolution=36')).toMatch(
      'task.resolution is 36, expected a multiple of 8 of at least 8 and at most 4096',
    );
  });

  it('has the defaults of its kind', () => {
    const { task, data, adapter, training } = load(
      PICTURES,
      'data.classImages=class',
      'task.classPrompt=a dog',
    );
    expect(task.head).toBe('none');
    expect(data).toMatchObject({
      validationFraction: 0,
      imageColumn: 'image',
      textColumn: 'text',
      classImages: join(file, '..', 'class'),
    });
    expect(data).not.toHaveProperty('labelColumn');
    expect(adapter).toMatchObject({ targetModules: ['to_q', 'to_k', 'to_v', 'to_out.0'] });
    expect(training.metric).toBe('loss');
    expect(errorOf(PICTURES, 'adapter.method=none')).not.toMatch('targetModules');
    expect(load(PICTURES, 'task.trainTextEncoder=true').adapter).toMatchObject({
      targetModules: ['to_q', 'to_k', 'to_v', 'to_out.0', 'q_proj', 'k_proj', 'v_proj', 'out_proj'],
    });
    expect(load(PICTURES, 'adapter.targetModules=["to_q"]').adapter).toMatchObject({
      targetModules: ['to_q'],
    });
  });

  it('draws as diffusers does unless it says otherwise', () => {
    const { training } = load(PICTURES, 'training.pictures={"prompts":["a sks dog"]}');
    expect(training.pictures).toEqual({
      prompts: ['a sks dog'],
      every: 100,
      steps: 25,
      guidance: 7.5,
      sampler: 'ddim',
      seed: 0,
    });
  });

  it('needs a prompt for class images, and class images for their settings', () => {
    expect(errorOf(PICTURES, 'data.classImages=class')).toMatch('task.classPrompt is missing');
    expect(errorOf(PICTURES, 'task.trainTextEncoder=true', 'model.quantize=8')).toMatch(
      'model.quantize is 8',
    );
    expect(errorOf(PICTURES, 'task.priorWeight=2')).toMatch('task.priorWeight is for class images');
  });

  it('refuses its settings in other tasks, and those of other tasks', () => {
    expect(errorOf('task.instancePrompt=x')).toMatch('task.instancePrompt is for tasks that draw pictures');
    expect(errorOf('training.pictures={"prompts":["x"]}')).toMatch(
      'training.pictures is for tasks that draw',
    );
    expect(errorOf('data.validationFraction=0')).toMatch('expected a share above 0');
    expect(errorOf(PICTURES, 'data.augmentation={"flip":0.5}')).toMatch('data.augmentation is for images');
    expect(errorOf(PICTURES, 'training.metric=accuracy')).toMatch('expected one of "loss"');
    expect(errorOf(PICTURES, 'task.resolution=500')).toMatch('task.resolution');
  });
});
