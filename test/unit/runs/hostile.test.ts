import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { Catalog } from '../../../src/extension/runs/catalog';
import { lastValues } from '../../../src/runs/curve/scalar-records';
import { logTail } from '../../../src/executors/local/run-status';
import { KeptNonlinearity } from '../../../src/extension/panels/activations/kept-nonlinearity';
import { Snapshots } from '../../../src/extension/panels/activations/layer-view';
import { KnownRuns } from '../../../src/extension/study-worker/known-runs';
import { hashFile } from '../../../src/files/hash';
import { RecentLoss } from '../../../src/runs/curve/recent-loss';
import { signalThatEnded } from '../../../src/runs/ended/signal';
import { readInputs } from '../../../src/runs/inputs';
import { KeptBytes } from '../../../src/extension/runs/tracked-run';
import { readKeptFit } from '../../../src/runs/kept-fit';
import { experimentSweeps } from '../../../src/runs/layout';
import { runNumbers } from '../../../src/runs/numbers';
import { readForTable } from '../../../src/runs/runs-table';
import { RunTail } from '../../../src/runs/run-tail';
import { makeRun } from '../extension/run-maker';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();
const FINISHED = resolve('test/fixtures/runs/finished');
const MOST_BYTES = 400 * 2 ** 20;

/** An experiment with two finished runs, and the first of them. */
function twoRuns(): { file: string; run: string } {
  const file = join(folder(), 'demo.aurora.json');
  writeFileSync(file, '{}');
  const [run, other] = [makeRun(file), makeRun(file)];
  for (const each of [run, other]) cpSync(FINISHED, each, { recursive: true });
  return { file, run };
}

/** Whatever the editor and its processes read of a run without being asked for, and the states that are listed. */
async function readAll(file: string, run: string): Promise<string[]> {
  const known = async (reading: Promise<unknown>) => {
    try {
      await reading;
    } catch (e) {
      expect(e).toBeInstanceOf(AuroraError);
    }
  };
  const catalog = new Catalog();
  catalog.setPlaces([file], [dirname(file)]);
  await catalog.look();
  const tail = new RunTail(run);
  await tail.look();
  const asked = catalog
    .experiments()[0]!
    .runs.map((r, i) => ({ folder: r.folder, name: `${i}`, version: 1 }));
  expect(await new KnownRuns().read(asked)).toHaveLength(2);
  expect(readForTable(asked.map((r) => r.folder))).toHaveLength(2);
  runNumbers(dirname(run));
  const snapshots = new Snapshots(run);
  for (const reading of [
    () => lastValues(run, 'loss', 1),
    () => new RecentLoss(run).read(),
    () => logTail(run),
    () => snapshots.read(0),
    () => snapshots.readExamples(),
    () => new KeptNonlinearity(run).read(24, []),
    async () => readInputs(run),
    async () => signalThatEnded(run, 1),
    () => readKeptFit(run, 24),
  ])
    await known(reading());
  return catalog.experiments()[0]!.runs.map((r) => r.state);
}

/** Entries that a repository or an archive can have in place of a file. */
const HOSTILE: [string, (path: string) => void][] = [
  ['a link to a device without an end', (path) => symlinkSync('/dev/zero', path)],
  ['a pipe that nobody writes to', (path) => void execFileSync('mkfifo', [path])],
  ['10 GB', (path) => (writeFileSync(path, ''), truncateSync(path, 10e9))],
  ['a folder', (path) => void mkdirSync(path)],
];

const FILES = [
  'spec.json',
  'status.json',
  'result.json',
  'events.jsonl',
  'user.json',
  'trial.json',
  'inputs.json',
  'scalars.bin',
  'scalars.json',
  'resources.bin',
  'resources.json',
  'samples.json',
  'trainer.log',
  'pictures/index.json',
  'control/ended.json',
  'activations/step-000000.bin',
  'activations/examples.json',
  'predictions/step-000024.json',
  'fit/step-000024.json',
  'nonlinearity/step-000024.json',
  'study/geometry.json',
  'study/merged-step-000024.json',
  'checkpoints/step-000024/state.json',
];

describe.skipIf(process.platform === 'win32')('a hostile run folder', () => {
  it.each(HOSTILE)(
    'with %s in place of any file is read in bounded memory, without waiting',
    async (_, make) => {
      const { file, run } = twoRuns();
      for (const name of FILES) {
        const path = join(run, name);
        const saved = join(dirname(file), 'saved');
        if (existsSync(path)) cpSync(path, saved);
        rmSync(path, { force: true });
        mkdirSync(dirname(path), { recursive: true });
        make(path);
        const before = process.memoryUsage().rss;
        const states = await readAll(file, run);
        expect(process.memoryUsage().rss - before, name).toBeLessThan(MOST_BYTES);
        expect(states, name).toHaveLength(2);
        expect(states, name).toContain('finished');
        rmSync(path, { recursive: true });
        if (existsSync(saved)) cpSync(saved, path);
        rmSync(saved, { force: true });
      }
      expect(await readAll(file, run)).toEqual(['finished', 'finished']);
    },
  );

  it.each(HOSTILE)('with %s in place of a number or a sweep hides nothing else', async (_, make) => {
    const { file, run } = twoRuns();
    const numbers = join(dirname(file), '.aurora/numbers/demo');
    rmSync(join(numbers, '1'));
    const sweep = join(experimentSweeps(file), 'a');
    mkdirSync(sweep, { recursive: true });
    for (const path of [
      join(numbers, '1'),
      ...['sweep', 'status', 'cluster'].map((f) => join(sweep, `${f}.json`)),
    ])
      make(path);
    expect(await readAll(file, run)).toEqual(['finished', 'finished']);
    expect([...runNumbers(dirname(run)).values()]).toEqual([2]);
  });

  it('names the file and its size', async () => {
    const { run } = twoRuns();
    truncateSync(join(run, 'events.jsonl'), 2 ** 25 + 1);
    const tail = new RunTail(run);
    await tail.look();
    expect(tail.error?.message).toBe(
      `${join(run, 'events.jsonl')} has 33,554,433 bytes, and at most 33,554,432 are read.`,
    );
  });

  it('names inputs that are devices, which are not hashed', async () => {
    await expect(hashFile('/dev/zero')).rejects.toThrow('not a regular file');
  });
});

describe('runs that are too many or too large together', () => {
  it('are listed as damaged with the reason, and the first ones are read', async () => {
    const file = join(folder(), 'demo.aurora.json');
    for (let i = 0; i < 10; i++) cpSync(FINISHED, makeRun(file), { recursive: true });
    const catalog = new Catalog(Date.now, new KeptBytes(40_000));
    catalog.setPlaces([file], [dirname(file)]);
    await catalog.look();
    const { runs } = catalog.experiments()[0]!;
    expect(runs).toHaveLength(10);
    const states = runs.map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['finished', 'damaged']));
    expect(runs.find(({ state }) => state === 'damaged')!.error!.message).toContain(
      'the runs here have more than 40,000 bytes together',
    );
  });

  it('are read again once others are gone', async () => {
    const file = join(folder(), 'demo.aurora.json');
    const catalog = new Catalog(Date.now, new KeptBytes(40_000));
    catalog.setPlaces([file], [dirname(file)]);
    for (let i = 0; i < 20; i++) {
      const run = makeRun(file);
      cpSync(FINISHED, run, { recursive: true });
      await catalog.look();
      expect(catalog.run(run)?.state, String(i)).toBe('finished');
      rmSync(run, { recursive: true });
      await catalog.look();
    }
  });
});
