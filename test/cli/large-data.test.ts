import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs } from '../../src/runs/inputs';
import { readRun } from '../read-run';
import { quoted, writeParquet } from '../unit/data/table/duckdb';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

/** All files count as large, and the cache is separate. */
const LARGE = { ...process.env, AURORA_TEST_LARGE_BYTES: '0', XDG_CACHE_HOME: lab.path('cache') };

function large(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: LARGE,
  });
  return { code: status, out: stdout, err: stderr };
}

const bits = (run: string) =>
  ['best', 'last'].map((which) =>
    createHash('sha256')
      .update(readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')))
      .digest('hex'),
  );

/** The events that a run has recorded, without all that differs between any two runs. */
const recorded = (run: string): unknown[] =>
  readRun(run).events.flatMap((e): unknown[] =>
    e.kind === 'started'
      ? [[e.trainExamples, e.validationExamples, e.labels, e.scale]]
      : e.kind === 'evaluation'
        ? [[e.step, e.metrics]]
        : e.kind === 'warning'
          ? [e.message]
          : [],
  );

const lines = lab
  .read('train.jsonl')
  .trim()
  .split('\n')
  .map((l) => JSON.parse(l) as { text: string; label: string });
const jsonl = (rows: object[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

function experiment(name: string, settings: Record<string, unknown>, rows: object[]): string {
  lab.write(`${name}.jsonl`, jsonl(rows));
  const base = JSON.parse(lab.read('tiny.aurora.json')) as Record<string, object>;
  const spec: Record<string, unknown> = {
    ...base,
    data: { train: `${name}.jsonl`, validationFraction: 0.25 },
    ...settings,
  };
  const training = { ...base.training, epochs: 2, ...(settings.training as object) };
  lab.write(`${name}.aurora.json`, JSON.stringify({ ...spec, training }));
  return lab.path(`${name}.aurora.json`);
}

const KINDS: Record<string, [settings: Record<string, unknown>, rows: object[]]> = {
  classification: [
    {
      training: { groupByLength: true },
      task: { type: 'text-classification', head: 'linear', classWeights: 'balanced' },
    },
    [...lines, lines[0], { text: lines[1].text, label: 'other' }],
  ],
  regression: [
    {
      task: { type: 'text-regression', head: 'linear' },
      data: { train: 'regression.jsonl', labelColumn: 'score', validationFraction: 0.25 },
    },
    lines.map(({ text }, i) => ({ text, score: text.length + (i % 3) / 2 })),
  ],
  'several-labels': [
    { task: { type: 'multi-label-classification', head: 'linear' } },
    lines.map(({ text, label }, i) => ({ text, labels: i % 5 ? [label, ...(i % 2 ? ['odd'] : [])] : [] })),
  ],
};

describe('data that stay on disk', () => {
  it.each(Object.entries(KINDS))('train %s to the same bits as data in memory', (name, [settings, rows]) => {
    const file = experiment(name, settings, rows);
    const [memory, disk, again] = ['memory', 'disk', 'again'].map((way) => lab.fresh(`${name}-${way}`));
    expect(lab.run('train', file, '--out', memory)).toMatchObject({ code: 0 });
    expect(large('train', file, '--out', disk)).toMatchObject({ code: 0 });
    const [a, b] = [memory, disk].map((out) => lab.runs(out)[0]);
    expect(bits(b)).toEqual(bits(a));
    expect(recorded(b)).toEqual(recorded(a));
    expect(readFileSync(join(b, 'activations/examples.json'), 'utf8')).toBe(
      readFileSync(join(a, 'activations/examples.json'), 'utf8'),
    );
    const errors = [lab.run('errors', a), large('errors', b)].map(({ out }) =>
      out.replace(/Full results: .*/, ''),
    );
    expect(errors[1]).toBe(errors[0]);
    expect(errors[0]).toContain('validation');
    // From the cached index.
    expect(large('train', file, '--out', again)).toMatchObject({ code: 0 });
    expect(bits(lab.runs(again)[0])).toEqual(bits(a));
  });

  it('resume to the same bits after a kill, and not with other data', async () => {
    const file = experiment('killed', {}, lines);
    const out = lab.fresh('killed-run');
    const moment = { pattern: 'checkpoints/step-000006$', when: 'after', signal: 'SIGKILL' };
    const args = ['--require', resolve('test/cli/kill-at.cjs'), CLI, 'train', file, '--out', out];
    const child = spawn(process.execPath, args, {
      stdio: 'ignore',
      env: { ...LARGE, AURORA_TEST_KILL: JSON.stringify(moment) },
    });
    await new Promise((done) => child.once('exit', done));
    const [run] = lab.runs(out);
    expect(existsSync(join(run, 'result.json'))).toBe(false);
    const data = lab.read('killed.jsonl');
    lab.write('killed.jsonl', data.replace(lines[3].text, `${lines[3].text} !`));
    expect(large('train', '--resume', run).code).toBe(25);
    lab.write('killed.jsonl', data);
    expect(large('train', '--resume', run)).toMatchObject({
      code: 0,
      err: expect.stringContaining('Resuming at step 6'),
    });
    const whole = lab.fresh('whole');
    expect(large('train', file, '--out', whole)).toMatchObject({ code: 0 });
    expect(bits(run)).toEqual(bits(lab.runs(whole)[0]));
  });

  it('may be in several files: a run resumes to the same bits after a kill, and refuses added and missing files', async () => {
    const part = (n: number) => lab.path(`shards/train-0000${n}-of-00003.parquet`);
    mkdirSync(lab.path('shards'), { recursive: true });
    const rows = lines.map(({ text, label }) => `(${quoted(text)}, ${quoted(label)})`);
    for (let n = 0; n < 3; n++) {
      const own = rows.filter((_, i) => i % 3 === n).join(', ');
      await writeParquet(part(n), `select * from (values ${own}) t(text, label)`);
    }
    const data = { train: 'shards/train-*.parquet', validationFraction: 0.25 };
    const file = experiment('sharded', { data }, []);
    const [out, memory] = [lab.fresh('sharded-run'), lab.fresh('sharded-memory')];
    const moment = { pattern: 'checkpoints/step-000006$', when: 'after', signal: 'SIGKILL' };
    const killed = spawnSync(
      process.execPath,
      ['--require', resolve('test/cli/kill-at.cjs'), CLI, 'train', file, '--out', out],
      { env: { ...LARGE, AURORA_TEST_KILL: JSON.stringify(moment) } },
    );
    expect(killed.signal).toBe('SIGKILL');
    const [run] = lab.runs(out);
    const more = lab.path('shards/train-more.parquet');
    await writeParquet(more, `select * from (values ${rows[0]}) t(text, label)`);
    const refused = large('train', '--resume', run);
    expect([refused.code, refused.err]).toEqual([
      25,
      expect.stringContaining('train-more.parquet did not exist'),
    ]);
    rmSync(more);
    expect(large('train', '--resume', run)).toMatchObject({ code: 0 });
    expect(lab.run('train', file, '--out', memory)).toMatchObject({ code: 0 });
    const [whole] = lab.runs(memory);
    expect(bits(run)).toEqual(bits(whole));
    const numbers = (of: string) => recorded(of).filter((e) => typeof e !== 'string');
    expect(numbers(run)).toEqual(numbers(whole));
    expect(
      readInputs(run)!
        .files.filter(({ role }) => role === 'train')
        .map(({ path }) => path),
    ).toEqual([0, 1, 2].map(part));
    const fresh = { ...LARGE, XDG_CACHE_HOME: lab.path('fresh-cache') };
    const checked = spawnSync(process.execPath, [CLI, 'preflight', file, '--json', '--steps', '1'], {
      encoding: 'utf8',
      env: fresh,
    });
    expect(checked.stdout).toContain('{"kind":"reading","file":"train-*.parquet","percent":0}\n');
    expect(large('errors', run).out).toMatch(/row \d+ of train-0000\d-of-00003.parquet:/);
    rmSync(part(1));
    expect(lab.run('train', file, '--out', lab.fresh('missing')).err).toContain(
      'has no train-00001-of-00003.parquet',
    );
  });

  it('are read again after an interrupted or damaged index', () => {
    const file = experiment('index', {}, lines);
    const past = new Date(Date.now() - 60_000);
    utimesSync(lab.path('index.jsonl'), past, past);
    const folder = lab.path('cache/aurora-lab/rows');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const moment = JSON.stringify({ pattern: '/rows/[0-9a-f]+\\.rows$', when: 'before', signal: 'SIGKILL' });
    const killed = spawnSync(
      process.execPath,
      ['--require', resolve('test/cli/kill-at.cjs'), CLI, 'train', file, '--out', lab.fresh('cut')],
      { env: { ...LARGE, AURORA_TEST_KILL: moment } },
    );
    expect(killed.signal).toBe('SIGKILL');
    expect(readdirSync(folder).filter((name) => name.endsWith('.rows'))).toEqual([]);
    const [first, second] = [lab.fresh('first'), lab.fresh('second')];
    expect(large('train', file, '--out', first)).toMatchObject({ code: 0 });
    const [index, ...more] = readdirSync(folder);
    expect(more).toEqual([]);
    const bytes = readFileSync(join(folder, index));
    writeFileSync(join(folder, index), bytes.subarray(0, bytes.length >> 1));
    expect(large('train', file, '--out', second)).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, index))).toEqual(bytes);
    expect(bits(lab.runs(second)[0])).toEqual(bits(lab.runs(first)[0]));
  });
});
