import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FitProgress, KeptFit } from '../../../../src/protocol/linear-fit';
import { fitFile } from '../../../../src/runs/kept-fit';
import { runPaths } from '../../../../src/runs/layout';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { importAdapter } from '../../../../src/training/import/import-adapter';
import { openTrained } from '../../../../src/training/checkpoint/trained-run';
import { fitOf, type FitOptions } from '../../../../src/training/fit/fit-run';
import { Lab } from '../../../cli/lab';
import { trainHere } from '../train-here';

const lab = new Lab();
afterAll(() => lab.remove());

/** A run of a few steps. */
async function trained(adapter: object = {}, training: object = {}): Promise<string> {
  const experiment = {
    model: { path: 'model.onnx', maxLength: 16 },
    task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
    data: { train: 'train.jsonl', validation: 'validation.jsonl' },
    adapter: { method: 'aurora', targetModules: ['query', 'value'], ...adapter },
    training: {
      ...{ maxSteps: 4, batchSize: 8, learningRate: 0.02, seed: 7, evaluateEvery: 2, checkpointEvery: 2 },
      ...training,
    },
  };
  return trainHere(lab, experiment);
}

/** The run of most tests, of which only the kept fit changes. */
let run: string;
beforeAll(async () => {
  run = await trained();
});
beforeEach(() => rmSync(runPaths(run).fit, { recursive: true, force: true }));

const tokens = 200;
const fit = (run: string, at: number | 'best' = 4, options: FitOptions = {}) =>
  fitOf(run, at, { tokens, ...options });
const kept = (run: string, step = 4) => JSON.parse(readFileSync(fitFile(run, step), 'utf8')) as KeptFit;

/** Lets a file be another one during an action. */
async function withChanged(name: string, change: (path: string) => void, action: () => Promise<void>) {
  const path = lab.path(name);
  const before = readFileSync(path);
  change(path);
  try {
    await action();
  } finally {
    writeFileSync(path, before);
  }
}

describe('the fit of a run', () => {
  it('has each layer, is kept, and is read again without the training data', async () => {
    const lines: FitProgress[] = [];
    const found = await fit(run, 4, { emit: (line) => void lines.push(line) });
    const { task } = await openTrained(run, 4, lab.folder);
    expect(found).toMatchObject({ step: 4, seed: 7, tokens });
    expect(found.layers.map((l) => l.path)).toEqual(task.adapters.map((a) => a.layer.path));
    for (const { tokens: own, M, c, plainA, r2, fallback } of found.layers) {
      expect(own).toBeGreaterThanOrEqual(tokens);
      expect([M.length, c.length, plainA.length]).toEqual([4, 2, 2 * task.adapters[0]!.layer.inFeatures]);
      expect([...M, ...c, ...plainA].every(Number.isFinite)).toBe(true);
      expect(r2).toBeGreaterThan(0.2);
      expect(r2).toBeLessThanOrEqual(1);
      expect(fallback).toBe(undefined);
    }
    expect(lines.at(-1)).toEqual({ kind: 'fitting', done: tokens, of: tokens });
    const { mtimeMs, ino } = statSync(fitFile(run, 4));
    lines.length = 0;
    await withChanged(
      'train.jsonl',
      (path) => rmSync(path),
      async () => {
        expect(await fit(run, 4, { emit: (line) => void lines.push(line) })).toEqual(found);
        // As an export has it open.
        const open = await openTrained(run, 4, lab.folder);
        expect(await fit(run, 4, { trained: open })).toEqual(found);
      },
    );
    expect(lines).toEqual([]);
    expect(statSync(fitFile(run, 4))).toMatchObject({ mtimeMs, ino });
    // The last step's evaluation may be the best one.
    const best = await fit(run, 'best');
    expect([2, 4]).toContain(best.step);
    expect(await fit(run, 2)).not.toEqual(found);
    expect(existsSync(fitFile(run, 2))).toBe(true);
  });

  it('is made again for other values, another number of tokens, and from a damaged file', async () => {
    const found = await fit(run);
    const whole = kept(run);
    const text = readFileSync(fitFile(run, 4), 'utf8');
    const damaged: (string | object)[] = [
      text.slice(0, -20),
      { ...whole, values: '0'.repeat(64) },
      { ...whole, tokens: 100 },
      { ...whole, layers: [...whole.layers].reverse() },
      { ...whole, layers: whole.layers.map((l) => ({ ...l, plain: 'constant-direction', plainBy: [1] })) },
    ];
    for (const value of damaged) {
      const content = typeof value === 'string' ? value : JSON.stringify(value);
      writeFileSync(fitFile(run, 4), content);
      expect(await fit(run), content.slice(0, 80)).toEqual(found);
      expect(readFileSync(fitFile(run, 4), 'utf8')).toBe(text);
    }
  });

  it.skipIf(process.platform === 'win32').each<[string, (path: string) => void]>([
    ['a device without an end', (path) => symlinkSync('/dev/zero', path)],
    ['a pipe that nobody writes to', (path) => void execFileSync('mkfifo', [path])],
    ['10 GB', (path) => (writeFileSync(path, ''), truncateSync(path, 10e9))],
    ['a folder', (path) => void mkdirSync(path)],
  ])('is made although %s is in its place', async (_, make) => {
    const found = await fit(run);
    rmSync(fitFile(run, 4));
    make(fitFile(run, 4));
    expect(await fit(run)).toEqual(found);
  });

  it('needs the training data as they were', async () => {
    const refused = { kind: 'inputs', hint: expect.stringContaining('--merge paper') as string };
    await withChanged(
      'train.jsonl',
      (path) => rmSync(path),
      async () => {
        await expect(fit(run)).rejects.toMatchObject({
          ...refused,
          message: expect.stringContaining(
            `The training data ${lab.path('train.jsonl')} are missing.`,
          ) as string,
        });
      },
    );
    const shorter = (path: string) => writeFileSync(path, `${readFileSync(path, 'utf8').slice(0, 900)}\n`);
    await withChanged('train.jsonl', shorter, async () => {
      await expect(fit(run)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining(
          `The training data ${lab.path('train.jsonl')} have changed.`,
        ) as string,
      });
    });
    // A run whose files were not recorded.
    const { inputs } = runPaths(run);
    const record = readFileSync(inputs);
    rmSync(inputs);
    await withChanged(
      'train.jsonl',
      (path) => rmSync(path),
      async () => {
        await expect(fit(run)).rejects.toMatchObject(refused);
      },
    );
    expect(existsSync(runPaths(run).fit)).toBe(false);
    expect((await fit(run)).layers).toHaveLength(4);
    writeFileSync(inputs, record);
  });

  it('of an imported adapter is that of the run it came from', async () => {
    const { run: imported } = await importAdapter({
      adapter: join(runPaths(run).adapter, 'last'),
      experiment: loadExperiment(lab.experiment),
      runs: lab.path('imported'),
      hashWorker: resolve('dist/hash-worker.cjs'),
    });
    const [found, { layers }] = [await fit(imported, 0), await fit(run, 4)];
    expect(found).toEqual({ step: 0, seed: 7, tokens, layers });
    expect(layers).toHaveLength(4);
  });

  it('has no layers where the adapter is linear', async () => {
    const linear = await trained({ method: 'lora' });
    expect(await fit(linear)).toEqual({ step: 4, seed: 7, tokens, layers: [] });
    const epochs = { maxSteps: undefined, epochs: 2, staticEpochs: 1, evaluateEvery: 'epoch' };
    const merged = await trained({}, epochs);
    expect(await fit(merged, 24)).toMatchObject({ step: 24, layers: [] });
    for (const each of [linear, merged]) expect(existsSync(runPaths(each).fit)).toBe(false);
    // Before the last epoch, it was not linear.
    expect((await fit(merged, 12)).layers).toHaveLength(4);
  });

  it('stops when it is asked to, and keeps nothing', async () => {
    const controller = new AbortController();
    const emit = () => controller.abort();
    await expect(fit(run, 4, { emit, signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(existsSync(runPaths(run).fit)).toBe(false);
  });
});
