import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRun, experimentRuns, reserveRunId, runPaths } from '../../../src/runs/layout';
import { nameAll } from '../../../src/runs/name-all';
import { giveNumber, numberOthers, NumberReader, runNumbers } from '../../../src/runs/numbers';
import { restoreRun, trashRun } from '../../../src/runs/trash';
import { spec } from '../extension/run-maker';

let folder: string;
let runs: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aurora-numbers-'));
  runs = experimentRuns(join(folder, 'mine.aurora.json'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const marks = () => join(folder, '.aurora', 'numbers', 'mine');
const numberOf = (run: string) => runNumbers(dirname(run)).get(basename(run));
const writeSpec = (run: string, seed: number) =>
  writeFileSync(runPaths(run).spec, JSON.stringify({ ...spec, training: { ...spec.training, seed } }));

describe("a run's number", () => {
  it('never changes, and is not given again after the run was deleted', async () => {
    const [a, b] = [createRun(runs), createRun(runs)];
    expect([a, b].map(numberOf)).toEqual([1, 2]);
    const trashed = await trashRun(b);
    const c = createRun(runs);
    expect(numberOf(c)).toBe(3);
    await restoreRun(trashed);
    rmSync(c, { recursive: true });
    expect([a, b, createRun(runs)].map(numberOf)).toEqual([1, 2, 4]);
    expect(createRun(experimentRuns(join(folder, 'other.aurora.json')))).toSatisfy(
      (run: string) => numberOf(run) === 1,
    );
  });

  it('is reserved with the name of a run whose folder a cluster creates later', () => {
    const reserved = reserveRunId(runs);
    expect(numberOf(createRun(runs))).toBe(2);
    expect(runNumbers(runs).get(reserved)).toBe(1);
  });

  it('is given once by processes that start runs at the same time', async () => {
    const program = join(folder, 'give.mts');
    writeFileSync(
      program,
      `import { giveNumber } from ${JSON.stringify(join(process.cwd(), 'src/runs/numbers.ts'))};
      for (let i = 0; i < 40; i++) giveNumber(${JSON.stringify(runs)} + '/' + process.argv[2] + '-' + i);`,
    );
    const { build } = await import('esbuild');
    const built = join(folder, 'give.mjs');
    await build({ entryPoints: [program], outfile: built, bundle: true, platform: 'node', format: 'esm' });
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => promisify(execFile)(process.execPath, [built, name])),
    );
    const given = [...runNumbers(runs).values()].sort((x, y) => x - y);
    expect(given).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
  });

  it('is not that of the original in a copied folder, which gets the next one', () => {
    const original = createRun(runs);
    const copy = join(runs, `${basename(original)} copy`);
    cpSync(original, copy, { recursive: true });
    expect(numberOf(copy)).toBeUndefined();
    const next = createRun(runs);
    numberOthers(runs);
    numberOthers(runs);
    expect([original, next, copy].map(numberOf)).toEqual([1, 2, 3]);
    expect(readdirSync(marks())).toHaveLength(3);
  });

  it('of older runs comes first where the numbers were lost', () => {
    const ids = ['20250101T000000Z-aaaa0000', '20250102T000000Z-bbbb0000'];
    for (const id of ids) mkdirSync(join(runs, id), { recursive: true });
    const fresh = createRun(runs);
    expect([...ids, basename(fresh)].map((id) => runNumbers(runs).get(id))).toEqual([1, 2, 3]);
  });

  it('does not exist for a run outside an experiment', () => {
    const run = createRun(join(folder, 'elsewhere'));
    expect(giveNumber(run)).toBeUndefined();
    expect(numberOf(run)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['elsewhere']);
  });

  it('is read despite foreign and unfinished files', async () => {
    const run = createRun(runs);
    writeFileSync(join(marks(), '2'), '');
    writeFileSync(join(marks(), '3'), 'x'.repeat(10_000));
    writeFileSync(join(marks(), '0x5'), `${basename(run)}\n`);
    writeFileSync(join(marks(), '99999999999999999999'), `${basename(run)}\n`);
    mkdirSync(join(marks(), '4'));
    expect([...runNumbers(runs)]).toEqual([[basename(run), 1]]);
    expect([...(await new NumberReader(runs).look())]).toEqual([[basename(run), 1]]);
    expect(giveNumber(join(runs, 'next'))).toBe(5);
  });

  it('is followed: each file is read once, and new ones are found', async () => {
    const reader = new NumberReader(runs);
    expect((await reader.look()).size).toBe(0);
    const a = createRun(runs);
    expect((await reader.look()).get(basename(a))).toBe(1);
    const b = createRun(runs);
    expect((await reader.look()).get(basename(b))).toBe(2);
  });

  it('begins its name, which siblings do not change', () => {
    const a = createRun(runs, new Date('2026-01-01'));
    writeSpec(a, 1);
    const nameOf = (run: string) => nameAll([{ folder: run, spec: { ...spec } }]).get(run);
    expect(nameOf(a)).toEqual({ name: '#1 AuroRA r2', number: 1 });
    const b = createRun(runs, new Date('2026-01-02'));
    writeSpec(b, 2);
    expect(nameAll([{ folder: b }]).get(b)?.number).toBe(2);
    expect(nameOf(a)!.name).toMatch(/^#1 /);
  });
});
