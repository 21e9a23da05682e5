import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { experimentRuns } from '../../src/runs/layout';
import type { TableCell } from '../../src/study/paper-table/table-cells';
import { commitOf, largeFile, smallFile } from '../hub/repository';
import { HubServer } from '../hub/server';
import { smallGlue } from '../hub/small-repositories';
import { readRun } from '../read-run';
import { CLI, Lab, type Outcome } from './lab';
import { writeCommonsense, writeImages, writeModels, writeSubject } from './small-paper-data';

const lab = new Lab();
const server = new HubServer();

/** Two steps on two cores, as small as a table gets. */
const SMALL = ['--set', 'training.maxSteps=2', '--device', 'cpu', '--parallel', '2', '--threads', '1'];

const start = (args: readonly string[]) =>
  spawn(process.execPath, [CLI, 'reproduce', ...args], {
    env: {
      ...process.env,
      HF_ENDPOINT: server.endpoint,
      HF_HUB_CACHE: lab.path('cache'),
      HF_TOKEN_PATH: lab.path('no-token'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Without blocking, since the hub runs in this process. */
function reproduce(...args: string[]): Promise<Outcome> {
  const child = start(args);
  const text = { out: '', err: '' };
  child.stdout.on('data', (part) => (text.out += String(part)));
  child.stderr.on('data', (part) => (text.err += String(part)));
  return new Promise((done) => child.on('close', (code) => done({ code, ...text })));
}

interface TableLine {
  cells: TableCell[];
  missing: { name: string; why: string }[];
}
const tableIn = ({ out }: Outcome): TableLine =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TableLine & { kind: string })
    .find(({ kind }) => kind === 'table')!;
const states = (file: string) =>
  lab.runs(experimentRuns(file)).map((run) => readRun(run).status?.state ?? 'none');

beforeAll(async () => {
  writeModels(lab);
  const bytes = (name: string) => readFileSync(lab.path(`models/roberta/${name}`));
  const texts = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
  server.repositories.push(await smallGlue(lab.folder), {
    kind: 'model',
    id: 'FacebookAI/roberta-base',
    commit: commitOf('roberta-base'),
    refs: ['main'],
    files: [
      ...texts.map((name) => smallFile(name, bytes(name))),
      largeFile('model.safetensors', bytes('model.safetensors')),
    ],
  });
  await server.start();
});
afterAll(() => {
  server.stop();
  lab.remove();
});

describe('aurora reproduce TABLE', () => {
  it.each([
    [['glue'], 'needs a model'],
    [['glues', '--model', 'roberta-base'], 'Did you mean "glue"?'],
    [['images', '--model', 'roberta-base'], 'no table "images" for RoBERTa-Base'],
    [['glue', '--model', 'models'], '--size base'],
    [['glue', '--model', 'roberta-base', '--tasks', 'rte,dtd'], 'has no task "dtd"'],
    [['glue', '--model', 'roberta-base', '--set', 'training.seed=3'], 'Use --seeds'],
    [['glue', '--model', 'roberta-base', '--set', 'adapter.rank=3'], 'set adapter.rank themselves'],
    [['glue', '--model', 'roberta-base', '--rates', '0'], '--rates takes learning rates'],
    [['dreambooth', '--model', 'sdxl'], 'needs a few images'],
  ])('rejects %j', async (args, message) => {
    const r = await reproduce(...args);
    expect([r.code, r.err]).toEqual([EXIT.usage, expect.stringContaining(message)]);
  });

  it('shows the trials and the downloads first, and writes nothing', async () => {
    const out = lab.path('planned');
    const args = ['glue', '--model', 'roberta-base', '--tasks', 'rte', '--out', out];
    const shown = await reproduce(...args, '--dry-run');
    expect(shown.code, shown.err).toBe(0);
    // Three methods at the paper's 5e-4 and around it with one seed, and with two more at the best.
    expect(shown.out).toMatch(/RTE +15 +80 +1\.7e-4, 5e-4, 1\.5e-3/);
    expect(shown.err).toContain('nyu-mll/glue');
    const refused = await reproduce(...args);
    expect([refused.code, refused.err]).toEqual([EXIT.usage, expect.stringContaining('--yes')]);
    expect(existsSync(out)).toBe(false);
  });

  it('GLUE, from the hub by name: the paper’s numbers beside ours, and a warning for what is missing there', async () => {
    const out = lab.path('glue');
    const args = [
      'glue',
      '--model',
      'roberta-base',
      '--tasks',
      'rte,mrpc',
      '--seeds',
      '2',
      '--rates',
      '1e-3,1e-2',
      '--yes',
      '--out',
      out,
    ];
    const r = await reproduce(...args, ...SMALL, '--json');
    expect(r.code, r.err).toBe(EXIT.failed);
    const { cells, missing } = tableIn(r);
    expect(missing).toEqual([{ name: 'MRPC', why: expect.stringContaining('no validation file') as string }]);
    expect(cells.map(({ column, method, paper }) => [column, method, paper])).toEqual([
      ['RTE', 'AuroRA r=2', 85.2],
      ['RTE', 'LoRA r=8', 78.4],
      ['RTE', 'LoRA r=2', undefined],
    ]);
    for (const { seeds, ours, difference } of cells) {
      expect(seeds).toEqual([1, 2]);
      expect(ours?.half).toBeGreaterThan(0);
      if (difference !== undefined) expect(difference).toBeLessThan(0);
    }
    const report = readFileSync(join(out, 'table.md'), 'utf8');
    expect(report).toContain('# GLUE, RoBERTa-Base');
    expect(report).toMatch(/RTE: AuroRA r=2 .* LoRA r=8.*(over 2 seeds|\(1, 2\)) .*16 validation examples/);
    expect(report).toContain('Other settings for RTE: maxSteps 2.');
    expect(report).toContain('MRPC is missing');
    expect(readFileSync(join(out, 'table.csv'), 'utf8').trim().split('\r\n')).toHaveLength(4);
    // Three methods with both rates and the first seed, and with the better one and the second.
    expect(states(join(out, 'rte.aurora.json'))).toEqual(Array<string>(9).fill('finished'));
  });

  it('the ranks, from what was downloaded before, without a column of the paper', async () => {
    const args = ['ranks', '--model', 'roberta-base', '--tasks', 'rte', '--seeds', '1', '--rates', '1e-3'];
    const r = await reproduce(...args, '--out', lab.path('ranks'), ...SMALL);
    expect(r.code, r.err).toBe(0);
    for (const rank of [2, 4, 8, 16]) for (const name of ['AuroRA', 'LoRA']) expect(r.out).toContain(`${name} r=${rank} `); // prettier-ignore
    expect(r.out).not.toContain('Paper');
    expect(r.out).toContain('has no numbers for these cells');
  });

  it('an ablation that is killed continues, and what was finished is kept', async () => {
    writeImages(lab, 'eurosat');
    const out = lab.path('ablation');
    const here = ['--model', lab.path('models/vit'), '--size', 'base', '--data', lab.folder, '--out', out];
    const args = ['ablation', ...here, '--tasks', 'eurosat', '--seeds', '2', '--rates', '1e-2', ...SMALL];
    const file = join(out, 'eurosat.aurora.json');
    const child = start(args);
    const ended = new Promise((done) => child.on('close', done));
    const finished = () =>
      existsSync(experimentRuns(file)) ? readdirSync(experimentRuns(file)).filter((run) => existsSync(join(experimentRuns(file), run, 'result.json'))) : []; // prettier-ignore
    while (finished().length === 0 && child.exitCode === null) await wait(20);
    child.kill('SIGKILL');
    await ended;
    const before = finished().map((run) => {
      const path = join(experimentRuns(file), run, 'result.json');
      return [path, readFileSync(path, 'utf8')] as const;
    });
    expect(before.length).toBeGreaterThan(0);
    expect(existsSync(join(out, 'table.md'))).toBe(false);
    const r = await reproduce(...args, '--json');
    expect(r.code, r.err).toBe(0);
    for (const [path, content] of before) expect(readFileSync(path, 'utf8')).toBe(content);
    expect(states(file)).toEqual(Array<string>(6).fill('finished'));
    expect(tableIn(r).cells.map(({ method, paper }) => [method, paper])).toEqual([
      ['AuroRA', 98.8],
      ['without F, the fixed part', 98.3],
      ['without L, the spline', 98.0],
    ]);
  });

  it.each([
    ['activation', 'fgvc-aircraft', { tanh: 48.2, LeakyReLU: 47.8, sigmoid: 47.7 }],
    ['images', 'cifar-10', { 'AuroRA r=2': 98.8, 'LoRA r=16': 98.8, 'LoRA r=2': undefined }],
  ])('%s, on data here', async (table, task, paper) => {
    writeImages(lab, task);
    const here = ['--model', lab.path('models/vit'), '--size', 'base', '--data', lab.folder];
    const args = [
      table,
      ...here,
      '--tasks',
      task,
      '--seeds',
      '1',
      '--rates',
      '1e-2',
      '--out',
      lab.path(table),
    ];
    const r = await reproduce(...args, ...SMALL, '--json');
    expect(r.code, r.err).toBe(0);
    const { cells } = tableIn(r);
    expect(cells.map((cell) => [cell.method, cell.paper])).toEqual(Object.entries(paper));
    for (const { ours, isBeyond } of cells)
      expect([typeof ours?.mean, isBeyond]).toEqual(['number', undefined]);
  });

  describe('on Commonsense170K with its tests', () => {
    const small = ['--set', 'model.maxLength=64', '--set', 'data.validationFraction=0.3'];
    const table = (name: string, ...more: string[]) => {
      const here = ['--model', lab.path('models/llama'), '--data', lab.path('commonsense')];
      const args = [name, ...here, '--seeds', '1', '--rates', '1e-3', '--out', lab.path(name)];
      return reproduce(...args, ...small, ...SMALL, '--json', ...more);
    };

    it('has a cell for each test, and an average', async () => {
      const names = writeCommonsense(lab);
      const r = await table('commonsense');
      expect(r.code, r.err).toBe(0);
      const { cells } = tableIn(r);
      expect(cells).toHaveLength(3 * (names.length + 1));
      const average = cells.filter(({ column }) => column === 'average');
      expect(average.map(({ method, paper }) => [method, paper])).toEqual([
        ['AuroRA r=2', 83.6],
        // The paper's rank 32 is too large for layers of width 16.
        ['LoRA r=16', 80.8],
        ['LoRA r=2', undefined],
      ]);
      const own = cells.filter(({ column, method }) => column !== 'average' && method === 'AuroRA r=2');
      const mean = own.reduce((sum, { ours }) => sum + ours!.mean, 0) / own.length;
      expect(average[0]!.ours!.mean).toBeCloseTo(mean, 10);
    });

    it('static against dynamic: one run measured in two forms, one trained in the static form', async () => {
      writeCommonsense(lab);
      const r = await table('forms');
      expect(r.code, r.err).toBe(0);
      const average = tableIn(r).cells.filter(({ column }) => column === 'average');
      expect(average.map(({ method, paper, ours }) => [method, paper, typeof ours?.mean])).toEqual([
        ['dynamic in training and inference', 83.8, 'number'],
        ['dynamic in training, static in inference', 83.6, 'number'],
        ['static in training and inference', 82.8, 'number'],
        ['LoRA', 80.8, 'number'],
      ]);
      expect(states(join(lab.path('forms'), 'commonsense170k.aurora.json'))).toHaveLength(3);
    });
  });

  it('DreamBooth, which has no scores in the paper', async () => {
    writeSubject(lab);
    const here = [
      '--model',
      lab.path('models/sdxl'),
      '--data',
      lab.path('dog'),
      '--out',
      lab.path('subject'),
    ];
    const settings = [
      '--set',
      'task.instancePrompt=a photo of sks dog',
      '--set',
      'task.resolution=32',
      '--set',
      'training.pictures.steps=2',
    ];
    const r = await reproduce('dreambooth', ...here, ...settings, ...SMALL);
    expect(r.code, r.err).toBe(0);
    expect(r.out).toMatch(/DreamBooth +loss +AuroRA r=2 +\d/);
    expect(r.out).toMatch(/DreamBooth +loss +LoRA r=4 +\d/);
    expect(r.out).toContain('The paper shows pictures and no scores.');
    expect(r.out).toContain('resolution 32 (diffusers’ script: 1024), maxSteps 2.');
  });
});
