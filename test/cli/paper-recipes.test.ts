import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { GLUE, IMAGES } from '../../src/recipes/paper-data';
import { PAPER_MODELS } from '../../src/recipes/model-shapes';
import { loadExperiment } from '../../src/runs/experiment/load';
import { readRun } from '../read-run';
import { CLI, Lab, type Outcome } from './lab';
import {
  CLASSES,
  GLUE_FOLDERS,
  MODELS,
  writeCommonsense,
  writeImages,
  writeModels,
  writeSubject,
} from './small-paper-data';

const lab = new Lab();
afterAll(() => lab.remove());

const SIZES = ['base', 'large'] as const;
/** A run that ended, and was worse than a constant answer: these models' weights are random. */
const ENDED = [0, EXIT.baseline];

/** Without blocking, so that the recipes of two sizes run side by side. */
const aurora = (...args: string[]): Promise<Outcome> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    child.stdout.on('data', (chunk) => (text.out += chunk));
    child.stderr.on('data', (chunk) => (text.err += chunk));
    child.on('close', (code) => done({ code, ...text }));
  });

/** Writes a recipe's experiment and trains it for two steps, both as a user would; its result. */
async function fromFolder(id: string, model: string, data: string, recipe: string[], train: string[]) {
  const out = lab.path(`${model}-${id.replace('/', '-')}.aurora.json`);
  const paths = ['--model', lab.path(`models/${MODELS[model]}`), '--data', data, '--out', out];
  const made = await aurora('recipe', id, ...paths, '--defaults', ...recipe);
  expect(made.code, made.err).toBe(0);
  const runs = `${out}-runs`;
  const set = ['training.maxSteps=2', ...train].flatMap((s) => ['--set', s]);
  const trained = await aurora('train', out, '--device', 'cpu', '--out', runs, ...set);
  expect(ENDED, trained.err).toContain(trained.code);
  const [run] = lab.runs(runs);
  const { status } = readRun(run!);
  expect(status?.state).toBe('finished');
  const result = JSON.parse(readFileSync(join(run!, 'result.json'), 'utf8')) as Record<string, unknown>;
  return { spec: loadExperiment(out), result };
}

beforeAll(() => writeModels(lab));

describe('a recipe of the paper, on a small model of its family, from a folder to a result', () => {
  it('is tried for each of its models and data sets', () => {
    expect(Object.keys(MODELS)).toEqual(PAPER_MODELS.map(({ id }) => id));
    expect(Object.keys(GLUE_FOLDERS)).toEqual(GLUE.map(({ id }) => id));
    expect(Object.keys(CLASSES)).toEqual(IMAGES.map(({ id }) => id));
  });

  it.each(GLUE.map(({ id }) => id))('GLUE, %s, on both RoBERTas', async (id) => {
    const folder = resolve('test/fixtures/recipes/glue', GLUE_FOLDERS[id]!);
    await Promise.all(
      SIZES.map(async (size) => {
        const options = ['--size', size];
        const { result } = await fromFolder(`glue/${id}`, `roberta-${size}`, folder, options, []);
        expect(result).toMatchObject({ steps: 2 });
      }),
    );
  });

  it.each(IMAGES.map(({ id }) => id))('images, %s, on both ViTs', async (id) => {
    writeImages(lab, id);
    await Promise.all(
      SIZES.map(async (size) => {
        const options = ['--size', size];
        const { result } = await fromFolder(`images/${id}`, `vit-${size}`, lab.path(id), options, []);
        expect(result).toMatchObject({ steps: 2 });
      }),
    );
  });

  it('commonsense reasoning on LLaMA, with the dropout of the paper and all eight tests', async () => {
    const names = writeCommonsense(lab);
    const { spec, result } = await fromFolder(
      'commonsense170k',
      'llama3-8b',
      lab.path('commonsense'),
      ['--set', 'data.validationFraction=0.3'],
      ['model.maxLength=64'],
    );
    expect(spec.adapter).toMatchObject({ method: 'aurora', dropout: 0.05 });
    expect(Object.keys(spec.data.evaluations!)).toEqual(names);
    expect(result).toMatchObject({ steps: 2 });
  });

  it('DreamBooth on SDXL', async () => {
    writeSubject(lab);
    const prompt = ['--set', 'task.instancePrompt=a photo of sks dog'];
    const small = ['task.resolution=32'];
    const { result } = await fromFolder('dreambooth', 'sdxl', lab.path('dog'), prompt, small);
    expect(result).toMatchObject({ steps: 2 });
  });
});
