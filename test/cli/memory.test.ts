import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import type { KnownLimits } from '../../src/training/micro-batch/micro-batches';
import { CLI, Lab, warnings } from './lab';

const TEXTS = 1536;

const lab = new Lab({
  model: { maxLength: 24 },
  adapter: { dropout: 0.1 },
  // As large as the batch: only memory splits it.
  training: { epochs: 2, batchSize: 1024, microBatchSize: 1024, evaluateEvery: 2, checkpointEvery: 2 },
});
const words = ['the', 'play', 'playing', 'played', 'unaffable', '!', ','];
/** Very different lengths, so that parts have less padding than the whole batch. */
const texts = Array.from({ length: TEXTS }, (_, i) => {
  const text = Array.from(
    { length: 2 + ((i * 7) % 22) },
    (_, k) => words[(i * 5 + k * 3 + ((i * k) % 4)) % 7],
  );
  if (i % 2) text[0] = 'cat';
  return JSON.stringify({ text: text.join(' '), label: i % 2 ? 'pets' : 'other' });
});
lab.write('train.jsonl', `${texts.join('\n')}\n`);
lab.write('validation.jsonl', `${texts.slice(0, 96).join('\n')}\n`);

interface Ended {
  code: number | null;
  signal: string | null;
  out: string;
  err: string;
}

function program(before: readonly string[], ...args: string[]): Ended {
  const [file, ...rest] = [...before, process.execPath, CLI, ...args];
  const r = spawnSync(file, rest, { encoding: 'utf8', timeout: 900_000 });
  return { code: r.status, signal: r.signal, out: r.stdout, err: r.stderr };
}

const train = (before: readonly string[], out: string, ...args: string[]): Ended =>
  program(before, 'train', lab.experiment, '--out', lab.path(out), ...args);

/**
 * The first of three attempts that was not ended by a signal. With limits this tight, Node's heap can exceed
 * them before the engine does if other programs delay its garbage collector.
 */
function withinLimit(run: () => Ended): Ended {
  let r = run();
  for (let tries = 1; r.signal !== null && tries < 3; tries++) r = run();
  return r;
}
/** Trains without leftovers of a killed attempt. */
const trainWithin = (before: readonly string[], out: string): Ended =>
  withinLimit(() => {
    rmSync(lab.path(out), { recursive: true, force: true });
    return train(before, out);
  });
const runOf = (out: string): string => lab.runs(lab.path(out))[0];

/** Expects each column and the result of two runs to agree within 1e-5. */
function expectSame(out: string, other: string): void {
  const [a, b] = [out, other].map((name) => readRun(runOf(name)));
  expect(a.status?.state).toBe('finished');
  expect(a.scalars.records).toBe(b.scalars.records);
  for (const column of ['step', 'loss', 'learningRate', 'gradientNorm', 'examples', 'tokens']) {
    const expected = b.scalars.column(column)!;
    a.scalars
      .column(column)!
      .forEach((x, i) => expect(Math.abs(x - expected[i])).toBeLessThanOrEqual(1e-5 * Math.abs(expected[i])));
  }
  type Result = { last: { loss: number; accuracy: number }; best: { step: number } };
  const [own, wanted] = [a.result, b.result] as unknown as Result[];
  expect(Math.abs(own.last.loss / wanted.last.loss - 1)).toBeLessThan(1e-5);
  expect(own.last.accuracy).toBe(wanted.last.accuracy);
  expect(own.best.step).toBe(wanted.best.step);
}

function limits(out: string, step: string): KnownLimits {
  const file = join(runOf(out), 'checkpoints', step, 'state.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { memory: KnownLimits }).memory;
}

expect(train([], 'free').code).toBe(0);

describe('training.microBatchSize', () => {
  it('gives the same run as the whole batch', () => {
    expect(train([], 'micro', '--set', 'training.microBatchSize=100').code).toBe(0);
    expectSame('micro', 'free');
    expect(warnings(runOf('micro')).filter((w) => /memory/.test(w))).toEqual([]);
  });
});

/** With this limit, the runtime's allocations fail. */
const prlimit = (megabytes: number) => ['prlimit', `--data=${megabytes * 1e6}`];
const refuses = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!refuses)('a batch that does not fit', () => {
  /** Node's own use with one worker: version 24 reserves 512 MB of address space for each worker's code. */
  const OWN = `
    new (require('worker_threads').Worker)('setInterval(() => {}, 1000)', { eval: true }).on('online', () => {
      const status = require('fs').readFileSync('/proc/self/status', 'utf8');
      process.stdout.write(/^VmData:\\s+(\\d+) kB/m.exec(status)[1], () => process.exit());
    });`;
  const own = Number(spawnSync(process.execPath, ['-e', OWN], { encoding: 'utf8' }).stdout) * 1024;
  const LIMIT = Math.round(own / 1e6) + 220;

  it('is halved until it fits, with one warning, and the run matches that of a larger machine', () => {
    const r = trainWithin(prlimit(LIMIT), 'small');
    expect([r.code, r.err]).toEqual([0, expect.any(String)]);
    const said = warnings(runOf('small')).filter((w) => w.startsWith('A batch of'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^A batch of (1024|512) × 24 tokens does not fit into memory on cpu: from here on, it is run \d+ at a time, with the same result\.$/,
    );
    expectSame('small', 'free');
    expect(limits('small', 'step-000004').step).toBeLessThan(1024 * 24);
  });

  it('is not tried again when the run is resumed', () => {
    const run = runOf('small');
    const before = warnings(runOf('small')).length;
    const known = limits('small', 'step-000002').step;
    // As if it had been killed after its first checkpoint.
    rmSync(join(run, 'result.json'));
    rmSync(join(run, 'checkpoints', 'step-000004'), { recursive: true });
    expect(program(prlimit(LIMIT), 'train', '--resume', run).code).toBe(0);
    const said = warnings(runOf('small')).slice(before);
    expect(said.filter((w) => w.startsWith('A batch of 1024'))).toEqual([]);
    expect(limits('small', 'step-000004').step).toBeLessThanOrEqual(known!);
    expectSame('small', 'free');
  });
});

/** A control group of version 1 or 2, which only root on Linux can create. */
const group = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  for (const [folder, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ]) {
    const path = join(folder, `aurora-memory-${process.pid}`);
    try {
      mkdirSync(path);
      if (existsSync(join(path, limit))) return { path, limit: join(path, limit) };
      rmdirSync(path);
    } catch {
      continue;
    }
  }
  return undefined;
})();
afterAll(() => {
  if (group) rmdirSync(group.path);
  lab.remove();
});

describe.skipIf(!group)('where the kernel kills a process above the limit', () => {
  const within = (megabytes: number): string[] => {
    writeFileSync(group!.limit, `${megabytes * 1e6}`);
    return ['sh', '-c', `echo $$ > ${group!.path}/cgroup.procs && exec "$@"`, 'sh'];
  };

  it('the longest batch is measured and split in advance, and the run matches that of a larger machine', () => {
    const r = trainWithin(within(215), 'group');
    expect([r.code, r.signal]).toEqual([0, null]);
    const said = warnings(runOf('group')).filter((w) => /memory/.test(w));
    expect(said).toEqual([
      expect.stringMatching(
        /^A batch of 1024 × 24 tokens would take about \d+ MB of memory, more than is available on cpu: it is run \d+ at a time, with the same result\.$/,
      ),
    ]);
    expectSame('group', 'free');
  });

  it('preflight reports how many examples fit', () => {
    const r = withinLimit(() => program(within(215), 'preflight', lab.experiment, '--json'));
    expect([r.code, r.signal]).toEqual([0, null]);
    const lines = r.out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Record<string, unknown>);
    const { microBatch } = lines.find((l) => l.kind === 'estimate') as {
      microBatch: { examples: number; of: number; length: number };
    };
    expect(microBatch).toMatchObject({ of: expect.any(Number), length: 24 });
    expect(microBatch.examples).toBeGreaterThan(32);
    expect(microBatch.examples).toBeLessThan(microBatch.of);
    const problem = lines.find((l) => l.kind === 'problem' && l.key === 'training.microBatchSize');
    expect(problem).toMatchObject({
      severity: 'warning',
      message: expect.stringMatching(/would take about/),
    });
  });
});
