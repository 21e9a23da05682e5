import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thisProcess } from '../../../src/files/processes';
import { temporaryBeside } from '../../../src/files/temporary';
import { Journal } from '../../../src/runs/journal/journal';
import {
  createRun,
  experimentRuns,
  newRunId,
  runPaths,
  stepName,
  stepOfName,
} from '../../../src/runs/layout';
import { readRun } from '../../read-run';
import { readRunSummary } from '../../../src/runs/run-summary';
import { shownState } from '../../../src/runs/outcome';
import { checkSweep, trialOf } from '../../../src/runs/sweep/record';
import { HEARTBEAT_TIMEOUT_MS, isAlive, readStatus, writeStatus } from '../../../src/runs/status';
import { AuroraError } from '../../../src/base/errors';
import type { RunStatus } from '../../../src/protocol/events';
import { temporaryFolders } from './folder';
import { specText } from '../specs';

const folder = temporaryFolders();
const status: RunStatus = {
  pid: 1,
  nonce: 'n',
  host: 'h',
  state: 'running',
  step: 3,
  steps: 10,
  startedAt: 1000,
  heartbeat: 2000,
};

function newRun(runs: string, seconds = 0): string {
  const run = createRun(runs, new Date(Date.UTC(2025, 0, 31, 12, 0, seconds)));
  writeFileSync(runPaths(run).spec, specText('demo'));
  return run;
}

describe('the layout of run folders', () => {
  it('puts runs beside the experiment, in a folder with its name', () => {
    expect(experimentRuns(join('a', 'sections.aurora.json'))).toBe(join('a', '.aurora', 'runs', 'sections'));
  });

  it('names runs by UTC time with a unique suffix', () => {
    const now = new Date(Date.UTC(2025, 0, 31, 12, 34, 56, 789));
    expect(newRunId(now)).toMatch(/^20250131T123456Z-[0-9a-f]{8}$/);
    expect(newRunId(now)).not.toBe(newRunId(now));
  });

  it('keeps .aurora out of Git and does not overwrite an existing .gitignore', () => {
    const root = folder();
    newRun(experimentRuns(join(root, 'x.aurora.json')));
    const ignore = join(root, '.aurora', '.gitignore');
    expect(readFileSync(ignore, 'utf8')).toBe('*\n');
    writeFileSync(ignore, 'mine\n');
    newRun(experimentRuns(join(root, 'x.aurora.json')));
    expect(readFileSync(ignore, 'utf8')).toBe('mine\n');
    const elsewhere = folder();
    newRun(elsewhere);
    expect(existsSync(join(elsewhere, '.gitignore'))).toBe(false);
  });

  it('removes what a process left that was killed while it kept .aurora out of Git', () => {
    const root = folder();
    const ignore = join(root, '.aurora', '.gitignore');
    mkdirSync(join(root, '.aurora'));
    const { pid: gone } = spawnSync(process.execPath, ['--version']);
    writeFileSync(temporaryBeside(ignore).replace(new RegExp(`-${process.pid}-(s\\d+-)?`), `-${gone}-`), '*');
    newRun(experimentRuns(join(root, 'x.aurora.json')));
    expect(readdirSync(join(root, '.aurora')).sort()).toEqual(['.gitignore', 'numbers', 'runs']);
  });

  it('uses step names that sort numerically and can be parsed', () => {
    expect(stepName(120)).toBe('step-000120');
    for (const step of [0, 120, 1_234_567]) expect(stepOfName(stepName(step))).toBe(step);
    for (const name of ['step-12', 'step-000120.tmp', '.step-000120'])
      expect(stepOfName(name)).toBeUndefined();
  });
});

describe('names from files', () => {
  it('are rejected if they are not step names', () => {
    for (const step of ['/../../../x', '1', -1, 1.5, NaN, Infinity, null, {}])
      expect(() => stepName(step as number)).toThrow(/is not a step of a run/);
  });

  it("must be folders beside each other for a sweep's trials and a trial's sweep", () => {
    const trial = { id: 'a', number: 1, settings: {}, planned: true };
    const sweep = (run: unknown) => ({
      ...{ version: 1, begun: 1, name: 'demo', overrides: [], spec: { type: 'grid', seed: 0 } },
      ...{ metric: 'accuracy', baseHash: 'a', varied: [] },
      trials: [trial, { ...trial, run }],
    });
    expect(checkSweep('sweep.json', sweep('20261126T061310Z-0a1b2c3d')).trials).toHaveLength(2);
    for (const name of [
      '../../elsewhere',
      '..',
      '',
      'a/b',
      'a\\..\\b',
      '/etc',
      'C:\\x',
      'a\0',
      7,
      null,
      {},
    ]) {
      expect(() => checkSweep('sweep.json', sweep(name))).toThrow(/not a folder name/);
      const run = folder();
      writeFileSync(join(run, 'trial.json'), JSON.stringify({ sweep: name, number: 1, settings: {} }));
      expect(trialOf(run)).toBeUndefined();
    }
  });
});

describe('the status of a run', () => {
  it('is read back and leaves no temporary file', () => {
    const run = folder();
    expect(readStatus(run)).toBeUndefined();
    writeStatus(run, status);
    expect(readStatus(run)).toEqual(status);
    expect(readdirSync(run)).toEqual(['status.json']);
  });

  it('means a run on another machine is alive while its state is running and its heartbeat is recent', () => {
    const at = status.heartbeat + HEARTBEAT_TIMEOUT_MS;
    expect(isAlive(status, at - 1)).toBe(true);
    expect(isAlive(status, at)).toBe(false);
    expect(isAlive({ ...status, state: 'finished' }, 2000)).toBe(false);
    expect(isAlive(undefined, 2000)).toBe(false);
  });

  it('means a run on this machine is alive while its process exists, however old its heartbeat', () => {
    const mine = { ...status, ...thisProcess() };
    expect(isAlive(mine, Date.now() + 3_600_000)).toBe(process.platform === 'linux');
    expect(isAlive({ ...mine, started: mine.started! - 10_000 })).toBe(false);
    const { pid: ended } = spawnSync(process.execPath, ['--version']);
    expect(isAlive({ ...mine, pid: ended, heartbeat: Date.now() })).toBe(false);
    // An older trainer's status contains less, and this process does not match it.
    const { pid, host } = mine;
    if (process.platform === 'linux')
      expect(isAlive({ ...status, pid, host, heartbeat: Date.now() })).toBe(false);
  });
});

describe('reading runs', () => {
  it('returns what exists so far', () => {
    const run = newRun(folder());
    expect(readRun(run)).toMatchObject({
      spec: { name: 'demo' },
      events: [],
      status: undefined,
      result: undefined,
    });
    expect(readRun(run).scalars.records).toBe(0);
    const journal = Journal.open(runPaths(run).events);
    journal.append({ kind: 'warning', message: 'w' });
    journal.close();
    writeStatus(run, status);
    writeFileSync(runPaths(run).result, '{"seconds":3}');
    expect(readRun(run)).toMatchObject({ events: [{ message: 'w' }], status, result: { seconds: 3 } });
  });

  it('names the folder or the file that is wrong', () => {
    expect(() => readRun(join(folder(), 'nothing'))).toThrow('There is no run folder');
    const empty = folder();
    expect(() => readRun(empty)).toThrow(`${runPaths(empty).spec} is missing`);
    for (const file of ['spec', 'status', 'events', 'result'] as const) {
      const run = newRun(folder());
      for (const text of ['{"name":\n', 'null\n', '[]\n']) {
        writeFileSync(runPaths(run)[file], text);
        expect(() => readRun(run)).toThrow(runPaths(run)[file]);
        expect(() => readRun(run)).toThrow(AuroraError);
      }
    }
  });
});

it('a run without a status counts as starting only shortly after it was made, not if that is in the future', () => {
  const summary = readRunSummary(newRun(folder()));
  const at = (made: number) => shownState(summary, made, 1_000_000);
  expect([at(990_000), at(900_000), at(1_100_000)]).toEqual(['starting', 'lost', 'lost']);
});
