import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { NewEvent, RunStatus } from '../../../src/protocol/events';
import type { Experiment } from '../../../src/experiment/experiment';
import type { Settings, SweepSpec } from '../../../src/experiment/sweep';
import { experimentSweeps, runPaths } from '../../../src/runs/layout';
import { writeStatus } from '../../../src/runs/status';
import { SWEEP_VERSION, writeSweep, writeTrial, type SweepRecord } from '../../../src/runs/sweep/record';
import { evaluated, finished, makeRun, spec, started } from './run-maker';

/** A trial to make: without `events`, it has not started. */
export interface TrialMade {
  settings: Settings;
  events?: readonly NewEvent[];
  status?: Partial<RunStatus>;
  result?: Record<string, unknown>;
  /** Never started, since its learning rate lost the search. */
  passedOver?: true;
  /** Its experiment, if settings change it visibly. */
  spec?: Experiment;
}

/** A finished trial with two evaluations. */
export const finishedTrial = (settings: Settings, accuracy: number): TrialMade => ({
  settings,
  events: [started, evaluated(40, accuracy - 0.1), evaluated(120, accuracy), finished(120, accuracy)],
  status: { state: 'finished', step: 120 },
  result: { steps: 120, outcome: 'finished' },
});

const HOUR = 3_600_000;

/** Half a minute between the events of a run, which its journal wrote within a moment. */
function spread(run: string, from: number): void {
  const path = runPaths(run).events;
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const timed = lines.map((line, i) => ({ ...(JSON.parse(line) as object), t: from + 30_000 * i }));
  writeFileSync(path, timed.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** A sweep's folder with its trials' runs, made by the product's own writers. Returns the sweep's folder. */
export function makeSweep(
  experimentFile: string,
  given: { spec: SweepSpec; trials: readonly TrialMade[]; varied: string[] } & Partial<
    Omit<SweepRecord, 'trials'>
  >,
  status: Partial<RunStatus> = { state: 'stopped' },
): string {
  const { trials, ...more } = given;
  const folder = join(experimentSweeps(experimentFile), given.baseHash ?? '1a2b3c4d');
  mkdirSync(folder, { recursive: true });
  const records = trials.map((made, i) => {
    const { settings, events, passedOver } = made;
    const base = {
      id: `t${i + 1}`,
      number: i + 1,
      settings,
      planned: true,
      ...(passedOver && { passedOver }),
    };
    if (!events) return base;
    const run = makeRun(experimentFile, { at: new Date(1e12 + 1000 * i), spec: made.spec ?? spec, ...made });
    spread(run, Date.now() - HOUR + 60_000 * i);
    writeTrial(run, { sweep: basename(folder), trial: base.id, number: base.number, settings });
    return { ...base, run: basename(run) };
  });
  writeSweep(folder, {
    version: SWEEP_VERSION,
    begun: 1e12,
    name: 'demo',
    overrides: [],
    metric: 'accuracy',
    baseHash: '1a2b3c4d',
    ...more,
    trials: records,
  });
  setSweepStatus(folder, status);
  return folder;
}

/** `running` with this process as its queue. */
export const setSweepStatus = (folder: string, status: Partial<RunStatus>): void =>
  writeStatus(folder, {
    pid: process.pid,
    nonce: 'n',
    host: 'elsewhere',
    state: 'running',
    step: 0,
    steps: 0,
    startedAt: Date.now(),
    heartbeat: Date.now(),
    ...status,
  });
