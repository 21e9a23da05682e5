import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportRecord } from '../../src/protocol/export';
import { readInputs } from '../../src/runs/inputs';
import { readPictures } from '../../src/runs/samples-and-pictures';
import { png } from '../png';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

const experiment = lab.path('dog.aurora.json');
const SETTINGS = {
  model: { path: 'sd' },
  task: {
    type: 'subject-generation',
    instancePrompt: 'a photo of sks dog',
    classPrompt: 'a photo of a dog',
    resolution: 32,
    snrGamma: 5,
    noiseOffset: 0.1,
  },
  data: { train: 'images', classImages: 'class' },
  adapter: { method: 'aurora', dropout: 0.1 },
  training: {
    epochs: 4,
    batchSize: 2,
    learningRate: 0.01,
    evaluateEvery: 4,
    checkpointEvery: 2,
    pictures: { prompts: ['a sks dog', 'a cat'], negativePrompt: 'blue', every: 4, steps: 3 },
  },
};

/** The exit code of a run that is worse than a constant answer, as this random U-Net is. */
const WORSE = 27;

/** A picture of one color, with a pattern. */
const image = (i: number) => png(40 + i, 36, (x, y) => [(40 * i) % 255, (x * y) % 255, 200 - 20 * i]);

let whole: string;
beforeAll(() => {
  cpSync('test/fixtures/diffusers/sd', lab.path('sd'), { recursive: true });
  for (let i = 0; i < 4; i++) lab.write(`images/${i}.png`, image(i));
  for (let i = 4; i < 7; i++) lab.write(`class/${i}.png`, image(i));
  lab.write('dog.aurora.json', JSON.stringify(SETTINGS));
  whole = trained('whole');
});

const training = (out: string, ...more: string[]) => [
  'train',
  experiment,
  '--out',
  out,
  '--device',
  'cpu',
  '--threads',
  '1',
  ...more,
];

function trained(name: string, ...more: string[]): string {
  const out = lab.fresh(name);
  const r = lab.run(...training(out, ...more));
  expect(r.code, r.err).toBe(WORSE);
  return lab.runs(out)[0]!;
}

const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Everything that must not depend on interruptions. */
function content(run: string) {
  const pictures = join(run, 'pictures');
  return {
    adapters: ['best', 'last'].map((at) => hash(join(run, 'adapter', at, 'adapter_model.safetensors'))),
    pictures: readdirSync(pictures)
      .sort()
      .map((name) => [name, hash(join(pictures, name))]),
    losses: readRun(run).events.flatMap((e) => (e.kind === 'evaluation' ? [[e.step, e.metrics]] : [])),
  };
}

/** Killed at an exact moment, then resumed. */
function killedAndResumed(pattern: string, nth = 1): string {
  const out = lab.fresh('killed');
  const moment = { pattern, nth };
  const killed = spawnSync(
    process.execPath,
    ['--require', resolve('test/cli/kill-at.cjs'), CLI, ...training(out)],
    { env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) }, encoding: 'utf8' },
  );
  expect(killed.signal, killed.stderr).toBe('SIGKILL');
  const [run] = lab.runs(out);
  const r = lab.run('train', '--resume', run!);
  expect(r.code, r.err).toBe(WORSE);
  return run!;
}

describe('a run on a pipeline', () => {
  it('draws its prompts with and without the adapter, and keeps an index of them', () => {
    expect(readPictures(whole)).toEqual({
      version: 1,
      ...{ width: 32, height: 32, sampler: 'ddim', steps: 3, guidance: 7.5, negativePrompt: 'blue' },
      prompts: [
        { text: 'a sks dog', seed: 0 },
        { text: 'a cat', seed: 1 },
      ],
      base: ['base-0.png', 'base-1.png'],
      evaluations: [4, 8].map((step) => ({
        step,
        files: [0, 1].map((i) => `step-00000${step}-${i}.png`),
      })),
    });
    const { pictures } = content(whole);
    expect(new Set(pictures.map(([, sum]) => sum)).size).toBe(pictures.length);
    const { events, inputs } = {
      events: readRun(whole).events,
      inputs: readInputs(whole)!.files.map(({ path }) => path),
    };
    expect(events.find((e) => e.kind === 'started')).toMatchObject({
      trainExamples: 4,
      validationExamples: 32,
    });
    for (const file of [
      'sd/model_index.json',
      'sd/unet/diffusion_pytorch_model.safetensors',
      'sd/vae/config.json',
      'sd/text_encoder/model.safetensors',
      'sd/tokenizer/merges.txt',
      'sd/scheduler/scheduler_config.json',
    ])
      expect(inputs).toContain(lab.path(file));
  });

  it.each([
    ['while images are encoded', '\\.encoded$', 3],
    ['while the first pictures are drawn', 'pictures/base-1\\.png$', 1],
    ['while pictures are drawn after a checkpoint', 'pictures/step-000004-1\\.png$', 1],
    ['at a checkpoint between pictures', 'checkpoints/step-000006$', 1],
  ])('killed %s resumes to the same bits, pictures included', (_, pattern, nth) => {
    expect(content(killedAndResumed(pattern, nth))).toEqual(content(whole));
  });

  it('cancels a picture when it is stopped, and draws it when it resumes', async () => {
    const out = lab.fresh('stopped');
    const steps = ['--set', 'training.pictures.steps=100'];
    const child = spawn(process.execPath, [CLI, ...training(out, ...steps)], { stdio: 'ignore' });
    const exit = new Promise<number | null>((done) => child.once('exit', done));
    // From the first step on, it draws.
    for (let i = 0; i < 6000 && !lab.begun(out, 'scalars.bin'); i++) await wait(10);
    await wait(300);
    child.kill('SIGINT');
    expect(await exit).toBe(130);
    const [run] = lab.runs(out);
    expect(readRun(run!).status?.state).toBe('stopped');
    expect(readPictures(run!)?.base.length ?? 0).toBeLessThan(2);
    const r = lab.run('train', '--resume', run!);
    expect(r.code, r.err).toBe(WORSE);
    const { base, evaluations } = readPictures(run!)!;
    expect([base.length, evaluations.map(({ step, files }) => [step, files.length])]).toEqual([
      2,
      [
        [4, 2],
        [8, 2],
      ],
    ]);
    // Training does not depend on what is drawn.
    expect(content(run!).adapters).toEqual(content(whole).adapters);
  });

  it('is refused before it begins if the scheduler cannot draw in so many steps', () => {
    const many = ['--set', 'training.pictures.steps=1000'];
    const problem = /training\.pictures\.steps is 1000\. A picture cannot be drawn in 1000 steps/;
    const trained = spawnSync(process.execPath, [CLI, ...training(lab.path('many'), ...many)], {
      encoding: 'utf8',
    });
    expect(trained).toMatchObject({ status: 3, stderr: expect.stringMatching(problem) as string });
    const args = [CLI, 'preflight', experiment, '--json', ...many];
    const checked = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(checked.status).toBe(3);
    const message = expect.stringMatching(problem) as string;
    // The last line is the error that ends every command.
    expect(
      checked.stdout
        .trim()
        .split('\n')
        .slice(-2)
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { kind: 'problem', key: 'training.pictures', message },
      { error: { kind: 'experiment', code: 3, message } },
    ]);
  });

  it('gives a fork what it has drawn so far', () => {
    const before = lab.runs(join(whole, '..'));
    const r = lab.run('train', '--fork', whole, '--at', '4');
    expect(r.code, r.err).toBe(WORSE);
    const [fork] = lab.runs(join(whole, '..')).filter((run) => !before.includes(run));
    expect(content(fork!)).toEqual(content(whole));
  });

  it('lists its losses by timestep and image', () => {
    const r = lab.run('errors', whole);
    expect(r.code, r.err).toBe(0);
    expect(r.out).toMatch(/By timestep\n +timestep +images +mean loss\n +62 +4 /);
    expect(r.out).toMatch(/By image, largest loss first\n +image +mean loss\n +image \d +\d/);
  });

  it.each([
    ['peft-lora', 'pytorch_lora_weights.safetensors', 0],
    ['safetensors', 'unet/diffusion_pytorch_model.safetensors', 8],
    ['onnx-merged', 'model.onnx', 32],
  ])(
    'is exported as %s, fitted, with biases where layers have them or ONNX adds them',
    (form, file, withBias) => {
      const out = lab.fresh(form);
      const r = lab.run('export', whole, '--as', form, '--accept-drop', '--out', out);
      expect(r.code, r.err).toBe(0);
      expect(existsSync(join(out, file))).toBe(true);
      const record = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
      expect(record).toMatchObject({ merge: 'fitted', fit: { layers: 32, withBias } });
      const { fitted, exported } = record.metrics;
      expect(exported.loss).toBeCloseTo(fitted!.loss, 5);
    },
  );
});
