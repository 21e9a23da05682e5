import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { COMMONSENSE, GLUE, IMAGES } from '../../src/recipes/paper-data';
import { PAPER_MODELS } from '../../src/recipes/model-shapes';
import { loadExperiment } from '../../src/runs/experiment/load';
import { png } from '../png';
import { readRun } from '../read-run';
import { CLI, Lab, type Outcome } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

const MODELS: Record<string, string> = {
  'roberta-base': 'roberta',
  'roberta-large': 'roberta',
  'vit-base': 'vit',
  'vit-large': 'vit',
  'llama3-8b': 'llama',
  sdxl: 'sdxl',
};
const SIZES = ['base', 'large'] as const;
const GLUE_FOLDERS: Record<string, string> = {
  'sst-2': 'SST-2',
  mrpc: 'MRPC',
  cola: 'CoLA',
  qnli: 'QNLI',
  rte: 'RTE',
  'sts-b': 'STS-B',
};
const CLASSES: Record<string, number> = {
  'oxford-pets': 37,
  'stanford-cars': 196,
  'cifar-10': 10,
  dtd: 47,
  eurosat: 10,
  'fgvc-aircraft': 100,
  resisc45: 45,
  'cifar-100': 100,
};
/** The folders of LLM-Adapters, by the paper's names of the sets. */
const TESTS: Record<string, string> = {
  siqa: 'social_i_qa',
  'arc-e': 'ARC-Easy',
  'arc-c': 'ARC-Challenge',
  obqa: 'openbookqa',
};
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

/** With as many positions as the paper's RoBERTas, whose settings a model with fewer is refused. */
function lengthen(folder: string, positions: number): void {
  const path = join(folder, 'model.safetensors');
  const file = readFileSync(path);
  const end = 8 + Number(file.readBigUInt64LE());
  type Entry = { shape: number[]; data_offsets: [number, number] };
  const header = JSON.parse(file.toString('utf8', 8, end)) as Record<string, Entry>;
  const entry = Object.entries(header).find(([name]) => name.endsWith('position_embeddings.weight'))![1];
  const [rows, width] = entry.shape as [number, number];
  const own = file.subarray(end + entry.data_offsets[0], end + entry.data_offsets[1]);
  const longer = Buffer.alloc(positions * (own.length / rows));
  for (let at = 0; at < longer.length; at += own.length) own.copy(longer, at);
  const data = Buffer.concat([file.subarray(end), longer]);
  entry.shape = [positions, width];
  entry.data_offsets = [data.length - longer.length, data.length];
  const bytes = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  writeFileSync(path, Buffer.concat([length, bytes, data]));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, max_position_embeddings: positions }),
  );
}

beforeAll(() => {
  for (const name of ['roberta', 'vit', 'llama'])
    cpSync(resolve('test/fixtures/hf', name), lab.path(`models/${name}`), { recursive: true });
  lengthen(lab.path('models/roberta'), 514);
  cpSync(resolve('test/fixtures/diffusers/sdxl'), lab.path('models/sdxl'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    for (const model of ['roberta', 'llama']) lab.write(`models/${model}/${name}`, lab.read(name));
  const size = { height: 24, width: 24 };
  lab.write(
    'models/vit/preprocessor_config.json',
    JSON.stringify({ image_processor_type: 'ViTImageProcessor', size }),
  );
});

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
    for (let label = 0; label < CLASSES[id]!; label++)
      for (const split of ['train', 'validation'])
        lab.write(
          `${id}/${split}/class ${label}/${split}.png`,
          png(24, 24, (x, y) => [label, (x * 7 + label) % 256, (y * 13) % 256]),
        );
    await Promise.all(
      SIZES.map(async (size) => {
        const options = ['--size', size];
        const { result } = await fromFolder(`images/${id}`, `vit-${size}`, lab.path(id), options, []);
        expect(result).toMatchObject({ steps: 2 });
      }),
    );
  });

  it('commonsense reasoning on LLaMA, with the dropout of the paper and all eight tests', async () => {
    const rows = resolve('test/fixtures/recipes/commonsense/commonsense_170k.json');
    lab.write('commonsense/commonsense_170k.json', readFileSync(rows));
    const names = COMMONSENSE.map(({ id }) => id);
    for (const name of names)
      lab.write(`commonsense/dataset/${TESTS[name] ?? name}/test.json`, readFileSync(rows));
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
    for (let i = 0; i < 4; i++)
      lab.write(
        `dog/${i}.png`,
        png(36, 36, (x, y) => [40 * i, (x * y) % 255, 200 - 20 * i]),
      );
    const prompt = ['--set', 'task.instancePrompt=a photo of sks dog'];
    const small = ['task.resolution=32'];
    const { result } = await fromFolder('dreambooth', 'sdxl', lab.path('dog'), prompt, small);
    expect(result).toMatchObject({ steps: 2 });
  });
});
