import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { readStatus } from '../../src/runs/status';
import { readSweep, trialOf, type SweepRecord } from '../../src/runs/sweep/record';
import type { SweepSpec } from '../../src/experiment/sweep';
import { uniform } from '../../src/base/random';
import type { Study } from '../../src/study/study';
import { CLI, Lab } from './lab';
import { until } from '../until';

const labs: Lab[] = [];
afterAll(() => labs.forEach((lab) => lab.remove()));

const ON_CPU = ['--parallel', '2', '--device', 'cpu'];

function labWith(sweep: Partial<SweepSpec>, training: object = {}): Lab {
  const lab = new Lab({ training: { epochs: 1, evaluateEvery: 4, ...training }, sweep });
  labs.push(lab);
  return lab;
}

/** Far longer than a test, however fast the machine. */
const LONG = { epochs: 40_000, evaluateEvery: 100_000, checkpointEvery: 3 };

const runsOf = (lab: Lab) => lab.path('.aurora/runs/tiny');

function folderOf(lab: Lab): string {
  const sweeps = lab.path('.aurora/sweeps/tiny');
  const [id] = readdirSync(sweeps);
  return join(sweeps, id);
}

const recordOf = (lab: Lab): SweepRecord => readSweep(folderOf(lab))!;

const bits = (run: string): string[] =>
  ['best', 'last'].map((which) =>
    createHash('sha256')
      .update(readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')))
      .digest('hex'),
  );

/** Each trial's results by id: numbers that do not depend on the clock, and the bits of its adapters. */
function results(lab: Lab): Map<string, unknown> {
  const names = readdirSync(runsOf(lab));
  const { trials } = recordOf(lab);
  // Each trial has exactly one run.
  expect(names.sort()).toEqual(trials.map((t) => t.run!).sort());
  return new Map(
    trials.map(({ id, run, number }) => {
      const folder = join(runsOf(lab), run!);
      expect(trialOf(folder)).toMatchObject({ trial: id, number });
      const { events, scalars, result } = readRun(folder);
      expect(result).toMatchObject({ outcome: 'finished', steps: 12 });
      const journal = readFileSync(runPaths(folder).events, 'utf8');
      expect(journal.split('"kind":"started"')).toHaveLength(2);
      // A trial that was killed after writing its result counts as finished.
      expect(journal.split('"kind":"finished"').length).toBeLessThan(3);
      expect([...scalars.column('step')!]).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
      const evaluations = events.flatMap((e) =>
        e.kind === 'evaluation' ? [{ ...e.metrics, step: e.step }] : [],
      );
      expect(evaluations.map((e) => e.step)).toEqual([4, 8, 12]);
      const losses = [...scalars.column('loss')!];
      return [id, { evaluations, losses, best: result!.best, bits: bits(folder) }];
    }),
  );
}

const ended = (child: ChildProcess) => new Promise<number | null>((done) => child.once('exit', done));

function kill(pid: number | undefined): void {
  try {
    if (pid) process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

describe('a sweep of 8 trials', () => {
  const grid = (...seeds: number[]): Partial<SweepSpec> => ({
    type: 'grid',
    parameters: {
      'adapter.rank': [1, 2],
      'training.learningRate': [0.003, 0.01],
      'training.seed': seeds,
    },
  });

  it('survives kill -9 of the queue and trainers, trains each trial once, and ends like an undisturbed sweep', async () => {
    const lab = labWith(grid(1, 2));
    const begun = () => (existsSync(runsOf(lab)) ? readdirSync(runsOf(lab)).length : 0);
    for (let round = 0; round < 3; round++) {
      const queue = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...ON_CPU], { stdio: 'ignore' });
      const end = ended(queue);
      await until(() => begun() >= 2 * (round + 1));
      await wait(600 * uniform(1, round));
      queue.kill('SIGKILL');
      await end;
      // Sometimes only the queue, sometimes one of its trainers, sometimes all.
      for (const { launched } of recordOf(lab).trials)
        if (uniform(2, round, launched?.pid ?? 0) < round / 2) kill(launched?.pid);
    }
    const last = lab.run('sweep', lab.experiment, ...ON_CPU);
    expect([last.code, last.out]).toEqual([0, expect.stringMatching(/^ {2}Continuing: \d+ finished/m)]);
    const disturbed = results(lab);
    expect(disturbed.size).toBe(8);

    // Some of the trials. They give the same results because each depends only on its settings.
    const calm = labWith(grid(2));
    const r = calm.run('sweep', calm.experiment, ...ON_CPU);
    expect(r.code).toBe(0);
    expect(r.out).toContain('Sweep of tiny: grid, 4 trials, compared by accuracy\n');
    for (const [id, result] of results(calm)) expect(disturbed.get(id)).toEqual(result);
    // Finished trials are not repeated.
    const before = readdirSync(runsOf(calm));
    expect(calm.run('sweep', calm.experiment, ...ON_CPU).code).toBe(0);
    expect(readdirSync(runsOf(calm))).toEqual(before);
  }, 180_000);
});

describe('aurora sweep', () => {
  const list = (trials: SweepSpec['trials']): Partial<SweepSpec> => ({ type: 'list', trials });

  it('saves and stops on a signal, has only one queue at a time, and continues', async () => {
    const lab = labWith(list([{}, { 'training.seed': 1 }, { 'training.seed': 2 }]), LONG);
    const queue = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...ON_CPU], { stdio: 'ignore' });
    const end = ended(queue);
    const saved = () =>
      existsSync(runsOf(lab)) &&
      lab.runs(runsOf(lab)).filter((run) => existsSync(join(run, 'checkpoints/step-000003'))).length;
    await until(() => saved() === 2);
    const second = lab.run('sweep', lab.experiment, ...ON_CPU);
    expect([second.code, second.err]).toEqual([
      20,
      expect.stringContaining(`is being run by process ${queue.pid}`),
    ]);
    queue.kill('SIGTERM');
    expect(await end).toBe(130);
    expect(readStatus(folderOf(lab))).toMatchObject({ state: 'stopped', step: 0, steps: 3 });
    expect(readdirSync(runsOf(lab)).map((run) => readStatus(join(runsOf(lab), run))!.state)).toEqual([
      'stopped',
      'stopped',
    ]);

    // A trial that the user stops stays stopped, while the others continue.
    const again = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...ON_CPU], { stdio: 'ignore' });
    const over = ended(again);
    const stop = (run: string) => {
      mkdirSync(runPaths(run).control, { recursive: true });
      writeFileSync(join(runPaths(run).control, 'stop'), '');
    };
    const [first] = lab.runs(runsOf(lab)).sort();
    await until(() => readStatus(first)?.state === 'running');
    stop(first);
    await until(() => readStatus(first)?.state === 'stopped' && readdirSync(runsOf(lab)).length === 3);
    again.kill('SIGTERM');
    expect(await over).toBe(130);
    expect(readStatus(first)?.state).toBe('stopped');
  });

  it('refuses to resume a trial on changed data, names the option that accepts them, and passes it on', async () => {
    const lab = labWith(list([{}]), LONG);
    const stopAfter = async (condition: () => boolean, ...more: string[]) => {
      const queue = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...ON_CPU, ...more], {
        stdio: 'ignore',
      });
      const end = ended(queue);
      await until(condition);
      queue.kill('SIGTERM');
      expect(await end).toBe(130);
    };
    await stopAfter(() => lab.begun(runsOf(lab), 'checkpoints/step-000003'));
    const [run] = lab.runs(runsOf(lab));
    lab.write('train.jsonl', lab.read('train.jsonl').split('\n').slice(1).join('\n'));
    for (const more of [[], ['--retry-failed']]) {
      const refused = lab.run('sweep', lab.experiment, ...ON_CPU, ...more);
      expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('train.jsonl have changed')]);
      expect(refused.out).toContain('use --accept-changed-inputs');
      expect(recordOf(lab).ended).toEqual({
        kind: 'inputs',
        message: expect.stringMatching(/^#1 .+ was not continued: .*train\.jsonl have changed/) as string,
      });
    }
    const accepted = () => readFileSync(runPaths(run).events, 'utf8').includes('"kind":"inputs-accepted"');
    expect(accepted()).toBe(false);
    await stopAfter(accepted, '--accept-changed-inputs');
    expect(recordOf(lab).ended).toBeUndefined();
    expect(lab.runs(runsOf(lab))).toEqual([run]);
    expect(readStatus(run)?.state).toBe('stopped');
  });

  it('reports a failed trial, finishes the others, and retries it on request', () => {
    const lab = labWith(list([{ 'training.learningRate': 1e38 }, { 'adapter.rank': 1 }]));
    const r = lab.run('sweep', lab.experiment, ...ON_CPU);
    expect(r.code).toBe(1);
    expect(r.out).toMatch(/^#2 +\d+\.\d%.+ finished /m);
    expect(r.out).toMatch(/^#1 .+ failed: .*diverged/m);
    const journal = () =>
      readFileSync(runPaths(join(runsOf(lab), recordOf(lab).trials[0].run!)).events, 'utf8');
    const failures = () => journal().split('"kind":"failed"').length - 1;
    expect(lab.run('sweep', lab.experiment, ...ON_CPU).code).toBe(1);
    expect(failures()).toBe(1);
    const json = lab.run('sweep', lab.experiment, ...ON_CPU, '--retry-failed', '--json');
    expect([json.code, json.err, failures()]).toEqual([1, '', 2]);
    const lines = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ kind: 'plan', type: 'list', trials: [{ number: 1 }, { number: 2 }] });
    expect(lines.at(-1)).toEqual({ kind: 'end', stopped: null, ranked: [2, 1] });
  });

  it('prunes the weaker trials with a reason and trains the best to the same bits', () => {
    const rates = [0.00001, 0.00003, 0.003, 0.01];
    const lab = labWith(
      { ...list(rates.map((r) => ({ 'training.learningRate': r }))), pruning: { eta: 2, minEpochs: 1 } },
      { epochs: 4, evaluateEvery: 'epoch' },
    );
    const r = lab.run('sweep', lab.experiment, ...ON_CPU);
    expect(r.code).toBe(0);
    expect(r.out).toContain('Pruning: one in 2 continues after 1, 2, 4, … epochs.');
    const ends = recordOf(lab).trials.map(({ run }) => {
      const { events, scalars } = readRun(join(runsOf(lab), run!));
      const last = events.at(-1)!;
      const first = events.find((e) => e.kind === 'evaluation')!;
      const why = last.kind === 'stopped' ? last.reason : last.kind;
      return { run, first: first.metrics.accuracy!, why, steps: scalars.records };
    });
    expect(ends.map(({ why, steps }) => `${why} ${steps}`).sort()).toEqual([
      'finished 48',
      'pruned 12',
      'pruned 12',
      'pruned 24',
    ]);
    const at = (steps: number) => ends.filter((e) => e.steps === steps).map((e) => e.first);
    expect(Math.min(...at(24), ...at(48))).toBeGreaterThanOrEqual(Math.max(...at(12)));
    expect(r.out.match(/ pruned at step 12 /g)).toHaveLength(2);
    // The winner paused twice, and its learning rate decayed as in an uninterrupted run.
    const won = ends.findIndex((e) => e.steps === 48);
    const set = ['--set', `training.learningRate=${rates[won]}`, '--threads', '1', '--device', 'cpu'];
    expect(lab.run('train', lab.experiment, ...set, '--out', lab.path('whole')).code).toBe(0);
    const [whole] = lab.runs(lab.path('whole'));
    expect(bits(join(runsOf(lab), ends[won].run!))).toEqual(bits(whole));
    // The decision is final.
    expect(lab.run('sweep', lab.experiment, ...ON_CPU).err).toBe('');
  });

  it('searches learning rates with the first seed, trains the others with the best one, and a study counts the same', () => {
    const parameters = {
      adapter: [{ method: 'none' }, { method: 'lora', rank: 2, targetModules: ['query'] }],
      'training.learningRate': [0.00001, 0.01],
      'training.seed': [1, 2],
    };
    const lab = labWith({ type: 'grid', parameters, learningRateSearch: { seeds: 1 } });
    const r = lab.run('sweep', lab.experiment, ...ON_CPU);
    expect(r.code).toBe(0);
    expect(r.out).toMatch(/Learning rates are searched with the first seed; .*: 6 trials\./);
    const { trials } = recordOf(lab);
    expect(trials.filter((t) => t.run === undefined).map((t) => t.passedOver)).toEqual(Array(2).fill(true));
    expect(readdirSync(runsOf(lab))).toHaveLength(2 * (2 + 1));
    const study = JSON.parse(lab.run('study', lab.experiment, '--json').out) as { study: Study };
    const groups = study.study.sections[0].groups;
    expect(groups.map((g) => (g.chosen ? g.seeds : g.seeds.length)).sort()).toEqual([1, 1, [1, 2], [1, 2]]);
    // The decision is final. With one more rate it is a new search, which that rate wins here: all are
    // equally bad, and it is the lowest.
    expect(lab.run('sweep', lab.experiment, ...ON_CPU).err).toBe('');
    parameters['training.learningRate'].push(1e-9);
    lab.write(
      'tiny.aurora.json',
      JSON.stringify({
        ...(JSON.parse(readFileSync(lab.experiment, 'utf8')) as object),
        sweep: { type: 'grid', parameters, learningRateSearch: { seeds: 1 } },
      }),
    );
    expect(lab.run('sweep', lab.experiment, ...ON_CPU).code).toBe(0);
    const begun = recordOf(lab).trials.filter((t) => t.run !== undefined);
    expect(begun.map((t) => Number(t.settings['training.learningRate'])).sort((a, b) => a - b)).toEqual([
      ...Array<number>(4).fill(1e-9),
      ...Array<number>(4).fill(1e-5),
      ...[0.01, 0.01],
    ]);
  });

  it('--dry-run prints the measured plan and leaves nothing', () => {
    const lab = labWith({
      type: 'random',
      count: 5,
      parameters: { 'training.learningRate': { min: 1e-4, max: 1e-2, scale: 'log' } },
    });
    const r = lab.run('sweep', lab.experiment, '--dry-run', '--device', 'cpu');
    expect(r.out).toMatch(
      /^Sweep of tiny: random, 5 trials, compared by accuracy\n {2}training\.learningRate {3}\d\.\d+e-\d, /,
    );
    expect(r.out).toMatch(/ on cpu, with \d+ threads? (each, )?.*of memory per trial\.$/m);
    expect(existsSync(lab.path('.aurora'))).toBe(false);
    expect(lab.run('sweep', lab.path('train.jsonl')).code).toBe(3);
  });
});
