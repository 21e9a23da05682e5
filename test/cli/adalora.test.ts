import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import type { ExportRecord } from '../../src/protocol/export';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

/** Ranks are taken away after steps 3, 6, 9 and 12, and finally 13. By loss, every evaluation is a new best one. */
const adapter = {
  ...{ method: 'adalora', rank: 4, targetRank: 2, tinit: 2, tfinal: 3, deltaT: 3, dropout: 0.1 },
  targetModules: ['query', 'value', 'inter'],
};
const lab = new Lab({
  adapter,
  training: {
    ...{ metric: 'loss', evaluateEvery: 5, checkpointEvery: 2, maxSteps: 16, schedule: 'constant' },
    learningRate: 0.005,
  },
});
afterAll(() => lab.remove());

interface Moment {
  /** Matches the path that a file or a folder is renamed to. */
  pattern?: string;
  /** Matches a line that is written. */
  line?: string;
  nth?: number;
  when?: 'before' | 'after';
}

function killedAt(moment: Moment, out: string): string {
  const args = ['train', lab.experiment, '--out', lab.path(out), '--threads', '1'];
  const killed = spawnSync(process.execPath, ['--require', resolve('test/cli/kill-at.cjs'), CLI, ...args], {
    encoding: 'utf8',
    timeout: 900_000,
    env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) },
  });
  expect(killed.signal, killed.stderr).toBe('SIGKILL');
  return lab.runs(lab.path(out))[0];
}

let trained: { run: string; out: string } | undefined;
/** A run that is trained to its end without interruption, with what it printed. */
function whole(): { run: string; out: string } {
  if (trained) return trained;
  const { code, out, err } = lab.run('train', lab.experiment, '--out', lab.path('whole'), '--threads', '1');
  expect(code, err).toBeOneOf([EXIT.ok, EXIT.baseline]);
  return (trained = { run: lab.runs(lab.path('whole'))[0], out });
}

/** The files of both adapters, as text, since a difference is then readable for the small ones. */
const files = (run: string) =>
  ['best', 'last'].flatMap((which) =>
    ['adapter_config.json', 'adapter_model.safetensors'].map((name) =>
      readFileSync(join(run, 'adapter', which, name)).toString('latin1'),
    ),
  );
/** The schedule's memory before its last change, with the optimizer's moments. */
const remembered = (run: string) =>
  createHash('sha256')
    .update(readFileSync(join(run, 'checkpoints/step-000012/optimizer.safetensors')))
    .digest('hex');
const ranksOf = (run: string) =>
  readRun(run).events.flatMap((e) => (e.kind === 'rank-budget' ? [[e.step, e.kept, e.of]] : []));
const configOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as {
    total_step: number;
    rank_pattern: Record<string, boolean[]>;
  };

describe('a run of AdaLoRA that is killed and resumed ends in the same bits', () => {
  it.each<[string, Moment]>([
    ['before the first change', { pattern: 'checkpoints/step-000002$', when: 'after' }],
    ['between two changes', { pattern: 'checkpoints/step-000004$', when: 'after' }],
    ['after a change, before its checkpoint', { line: '"rank-budget"', nth: 2, when: 'after' }],
    ['right before the line of a change', { line: '"rank-budget"', nth: 3, when: 'before' }],
    ['between the files of its best adapter', { pattern: 'best/adapter_model\\.safetensors$', nth: 2 }],
    ['at the evaluation before the last change', { pattern: 'checkpoints/step-000010$' }],
    ['after the last change', { pattern: 'checkpoints/step-000014$', when: 'after' }],
  ])('killed %s', (name, moment) => {
    const run = killedAt(moment, name.replaceAll(/\W+/g, '-'));
    expect(lab.run('train', '--resume', run, '--threads', '1').code).toBeOneOf([EXIT.ok, EXIT.baseline]);
    expect(readRun(run).events.some((e) => e.kind === 'resumed')).toBe(true);
    expect(files(run)).toEqual(files(whole().run));
    expect(remembered(run)).toBe(remembered(whole().run));
    expect(ranksOf(run)).toEqual(ranksOf(whole().run));
    expect(readRun(run).result).toMatchObject({ ranks: readRun(whole().run).result!.ranks });
  });
});

describe('the ranks of a run of AdaLoRA', () => {
  it('are in its journal when their number changes', () => {
    expect(ranksOf(whole().run)).toEqual([
      [3, 21, 24],
      [6, 15, 24],
      [9, 12, 24],
    ]);
  });

  it('are in its result and its report', () => {
    const ranks = readRun(whole().run).result!.ranks as Record<string, number>;
    expect(Object.keys(ranks)).toEqual(
      readRun(whole().run).events.find((e) => e.kind === 'started')!.modules,
    );
    const all = Object.values(ranks);
    expect(all.reduce((a, b) => a + b)).toBe(12);
    expect(whole().out).toContain(
      `Ranks in use at the end: 12, ${Math.min(...all)} to ${Math.max(...all)} in each module (result.json).`,
    );
  });

  it('are those in its PEFT folder, with the number of its steps', () => {
    const { total_step, rank_pattern } = configOf(join(whole().run, 'adapter/last'));
    expect(total_step).toBe(16);
    const counts = Object.entries(rank_pattern).map(
      ([name, used]) => [name.replace(/\.lora_E$/, ''), used.filter(Boolean).length] as const,
    );
    expect(Object.fromEntries(counts)).toEqual(readRun(whole().run).result!.ranks);
  });
});

it.each(['adapter', 'peft-lora', 'onnx-merged'])(
  'a pruned adapter loses nothing when exported as %s',
  (form) => {
    const exported = lab.run('export', whole().run, '--as', form);
    expect([exported.code, exported.err]).toEqual([0, expect.any(String)]);
    const folder = /^Wrote (.*)$/m.exec(exported.out)![1];
    const record = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as ExportRecord;
    expect(record.largestDifference).toBeLessThan(1e-4);
    if (form === 'adapter') expect(configOf(folder)).toMatchObject({ total_step: 16 });
  },
);

it('an exported adapter is imported with its ranks, and trained further', () => {
  const exported = lab.run('export', whole().run, '--as', 'adapter', '--at', 'last');
  const folder = /^Wrote (.*)$/m.exec(exported.out)![1];
  const out = lab.path('imported');
  const imported = lab.run('import', folder, '--experiment', lab.experiment, '--out', out);
  expect(imported.code, imported.err).toBe(0);
  const [run] = lab.runs(out);
  expect(configOf(join(run, 'adapter/best')).rank_pattern).toEqual(configOf(folder).rank_pattern);
  const forked = lab.run('train', '--fork', run, '--at', '0', '--device', 'cpu');
  expect(forked.code, forked.err).toBeOneOf([EXIT.ok, EXIT.baseline]);
  const ranks = readRun(lab.runs(out).find((r) => r !== run)!).result!.ranks as Record<string, number>;
  expect(Object.values(ranks).reduce((a, b) => a + b)).toBeLessThanOrEqual(12);
});

it('a schedule without room for a change is rejected before the first step', () => {
  const over = JSON.stringify({ ...adapter, tinit: 13 });
  const r = lab.run('train', lab.experiment, '--out', lab.path('short'), '--set', `adapter=${over}`);
  expect(r.code).toBe(EXIT.experiment);
  expect(r.err).toMatch(/has 16 steps\. With adapter\.tinit 13 and adapter\.tfinal 3, no step is left/);
});
