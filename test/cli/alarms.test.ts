import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { EXIT } from '../../src/base/errors';
import { alarmsOf, type Alarm } from '../../src/protocol/alarms';
import { CLI, Lab } from './lab';

const labs: Lab[] = [];
const lab = (settings: Record<string, unknown>): Lab => {
  const made = new Lab(settings);
  labs.push(made);
  return made;
};
afterAll(() => labs.forEach((l) => l.remove()));

const alarmsAt = (run: string): Alarm[] => alarmsOf(readRun(run).events);
const curve = (run: string) => [...readRun(run).scalars.column('loss')!];

it('a killed and resumed run raises the same alarms at the same steps; a fork keeps those up to its step', () => {
  const training = {
    learningRate: 3,
    warmupSteps: 48,
    schedule: 'constant',
    evaluateEvery: 24,
    checkpointEvery: 5,
  };
  const l = lab({ training });
  const train = (...args: string[]) => ['train', ...args, '--threads', '1', '--device', 'cpu'];
  l.run(...train(l.experiment, '--out', l.path('whole')));
  const [whole] = l.runs(l.path('whole'));
  const alarms = alarmsAt(whole);
  expect(alarms.map((a) => a.alarm)).toContain('loss-jump');
  // Right after the first alarm's line, with steps to repeat.
  const moment = { line: '"kind":"alarm"', when: 'after' };
  spawnSync(
    process.execPath,
    ['--require', resolve('test/cli/kill-at.cjs'), CLI, ...train(l.experiment, '--out', l.path('killed'))],
    { env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) } },
  );
  const [killed] = l.runs(l.path('killed'));
  expect(alarmsAt(killed)).toEqual(alarms.slice(0, 1));
  l.run(...train('--resume', killed));
  expect(alarmsAt(killed)).toEqual(alarms);
  expect(curve(killed)).toEqual(curve(whole));
  const at = alarms[0].step - (alarms[0].step % 5) + 5;
  const forked = l.run(...train('--fork', whole, '--at', String(at)));
  expect(forked.err).toContain(`Resuming at step ${at}`);
  const fork = l.runs(l.path('whole')).find((run) => run !== whole)!;
  expect(alarmsAt(fork)).toEqual(alarms);
});

it('a run that is worse than a constant answer is complete, says so, and exits with 27; its sweep continues', () => {
  // Whatever is learned is wrong on the validation data.
  const l = lab({ training: { epochs: 8, maxSteps: 80, evaluateEvery: 80, learningRate: 0.03 } });
  const swap = (text: string) =>
    text.replaceAll(/"(pets|other)"/g, (label) => (label === '"pets"' ? '"other"' : '"pets"'));
  l.write('validation.jsonl', swap(l.read('validation.jsonl')));
  const out = l.run('train', l.experiment, '--threads', '1', '--out', l.path('runs'));
  expect([out.code, out.err]).toEqual([EXIT.baseline, expect.stringContaining('alarm at step 80: ')]);
  expect(out.out).toMatch(/is worse than a constant answer \(always "\w+": 50\.0%\)\./);
  expect(out.out).toContain('Alarms during training (docs/alarms.md):');
  const [run] = l.runs(l.path('runs'));
  const { events, status } = readRun(run);
  const result = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8')) as Record<string, unknown>;
  expect(status?.state).toBe('finished');
  expect(events.at(-1)?.kind).toBe('finished');
  expect(result).toMatchObject({ outcome: 'finished', worseThanBaseline: true, alarms: alarmsAt(run) });
  expect(l.run('train', '--resume', run).code).toBe(EXIT.run);

  const spec = JSON.parse(l.read('tiny.aurora.json')) as Record<string, unknown>;
  const sweep = { type: 'grid', parameters: { 'training.seed': [7, 8] }, parallel: 1 };
  l.write('tiny.aurora.json', JSON.stringify({ ...spec, sweep }));
  const swept = l.run('sweep', l.experiment, '--threads', '1', '--device', 'cpu');
  expect([swept.code, swept.err]).toEqual([EXIT.ok, expect.anything()]);
  const trials = l.runs(l.path('.aurora/runs/tiny'));
  expect(trials.map((trial) => readRun(trial).status?.state)).toEqual(['finished', 'finished']);
});

it('a fork at step 0 starts again with changed settings, or repeats the run', () => {
  const l = lab({ training: { maxSteps: 12, evaluateEvery: 6 } });
  l.run('train', l.experiment, '--threads', '1', '--out', l.path('runs'));
  const [run] = l.runs(l.path('runs'));
  const fork = (...set: string[]) => {
    const before = l.runs(l.path('runs'));
    const r = l.run('train', '--fork', run, '--at', '0', '--threads', '1', ...set);
    expect([r.code, r.err]).toEqual([EXIT.ok, expect.anything()]);
    return l.runs(l.path('runs')).find((made) => !before.includes(made))!;
  };
  const same = fork();
  expect(curve(same)).toEqual(curve(run));
  const own = ['forked', 'resumed', 'requested', 'device', 'warning'];
  const kinds = (of: string) => readRun(of).events.flatMap(({ kind }) => (own.includes(kind) ? [] : [kind]));
  expect(kinds(same)).toEqual(kinds(run));
  const slower = fork('--set', 'training.learningRate=0.002');
  expect(curve(slower)[0]).toBe(curve(run)[0]);
  expect(curve(slower).at(-1)).not.toBe(curve(run).at(-1));
  expect(readRun(slower).spec.training.learningRate).toBe(0.002);
});
