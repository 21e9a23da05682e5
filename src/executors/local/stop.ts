import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AwakeClock } from '../../base/awake-clock';
import { AuroraError } from '../../base/errors';
import { claim } from '../../files/owner';
import { groupIsThere, isOurTrainer, killTree, presence } from '../../files/processes';
import type { RunStatus } from '../../protocol/events';
import { claimPlace, isClaimFolder } from '../../runs/claim-folder';
import { isSweepFolder, runPaths } from '../../runs/layout';
import { HEARTBEAT_TIMEOUT_MS, writeStatus } from '../../runs/status';
import { readSweep } from '../../runs/sweep/record';
import { checkpointSteps, statusOf } from './run-status';

export interface StopOutcome {
  /** The state in the run folder afterwards. */
  state: 'stopped' | 'finished' | 'failed' | 'killed';
  /** Last saved step; undefined if nothing was saved. */
  savedStep?: number;
  /** A full sentence for the user: "Stopped; the adapter is saved at step 120." */
  message: string;
}

/** Timeouts in milliseconds, each with its reason. */
export const STOP_TIMES = {
  /** A trainer that was just started writes its status within seconds, even from a cold disk. */
  firstWord: 20_000,
  /** The trainer ends itself if a step, or saving after it, takes a minute: a step, a save, and some margin. */
  asked: 150_000,
  /** Without a heartbeat for so long it hangs or is suspended, and does not read requests. */
  silent: HEARTBEAT_TIMEOUT_MS,
  /** SIGTERM is handled only between two steps; a trainer that gets there needs this long to save. */
  terminated: 5000,
  /** The operating system ends a killed process at once, unless it waits for a disk. */
  killed: 10_000,
} as const;
export type StopTimes = { [K in keyof typeof STOP_TIMES]: number };

/**
 * Trials on a cluster may take five minutes to save and end before their jobs are cancelled; the process that follows
 * them waits for that.
 */
function stopTimes(folder: string): StopTimes {
  const on = isSweepFolder(folder)
    ? readSweep(folder)?.on
    : isClaimFolder(folder)
      ? claimPlace(folder)
      : undefined;
  return on !== undefined && on !== 'local' ? { ...STOP_TIMES, asked: 6 * 60_000 } : STOP_TIMES;
}

const LOOK_MS = 100;

/**
 * If the machine sleeps in the meantime, a trainer must not count as silent, nor a process as still running, on waking.
 */
const awakeClock = () => new AwakeClock(20 * LOOK_MS);

/**
 * Stops a run's trainer, whoever started it: sends a request through the run folder, waits for the current step, then
 * kills the process and everything it started. Signals only a process on this machine that is the run's trainer
 * (`isOurTrainer`, and its nonce). Returns once nothing is left of it; AuroraError (`run`) if that failed.
 */
export async function stopRun(run: string, times: StopTimes = stopTimes(run)): Promise<StopOutcome> {
  const begun = await firstWord(run, times.firstWord);
  if (!begun) throw new AuroraError('run', `No trainer is running for ${run}.`, 'There is nothing to stop.');
  if (begun.state !== 'running') {
    // It has written its final status; its process may need a moment to exit.
    if ((await whereIs(begun)) === 'alive') await gone(begun.pid, times.terminated);
    return stopOutcome(run, begun, false);
  }
  await ask(run);
  const where = await whereIs(begun);
  if (where === 'elsewhere') return elsewhere(run, begun, times.asked);
  if (where === 'gone') return lost(run, begun);
  let forced = false;
  if (!(await asked(run, begun, times))) {
    forced = true;
    await end(run, begun, times);
  }
  const last = await statusOf(run);
  // The trainer's second thread does this when it ends a hung one: the run can be resumed.
  if (forced) await markStopped(run, begun);
  return stopOutcome(run, last ?? begun, forced);
}

/** The status; of a run that is starting, as soon as there is one. */
async function firstWord(run: string, time: number): Promise<RunStatus | undefined> {
  const clock = awakeClock();
  for (;;) {
    const status = await statusOf(run);
    if (status || clock.read() > time) return status;
    await wait(LOOK_MS);
  }
}

async function ask(run: string): Promise<void> {
  const { control } = runPaths(run);
  await mkdir(control, { recursive: true });
  await writeFile(join(control, 'stop'), '');
}

/** Waits until the process exits. False if it is silent or takes too long. */
async function asked(run: string, begun: RunStatus, times: StopTimes): Promise<boolean> {
  const clock = awakeClock();
  let heard = 0;
  let heartbeat = begun.heartbeat;
  for (let now = 0; now < times.asked; now = clock.read()) {
    if (!(await groupIsThere(begun.pid))) return true;
    const status = await statusOf(run);
    // Another trainer owns the run now; leave it alone.
    if (status && status.nonce !== begun.nonce) return (await whereIs(begun)) === 'gone';
    if (status && status.heartbeat !== heartbeat) [heartbeat, heard] = [status.heartbeat, now];
    if (now - heard > times.silent) return false;
    await wait(LOOK_MS);
  }
  return false;
}

async function end(run: string, begun: RunStatus, times: StopTimes): Promise<void> {
  for (const [signal, time] of [
    ['SIGTERM', times.terminated],
    ['SIGKILL', times.killed],
  ] as const) {
    const now = await statusOf(run);
    if (now?.nonce !== begun.nonce || !(await isTheRuns(run, begun))) break;
    await killTree(begun.pid, signal);
    if (await gone(begun.pid, time)) return;
  }
  if (!(await groupIsThere(begun.pid))) return;
  throw new AuroraError(
    'run',
    `The trainer of ${run} (process ${begun.pid}) could not be terminated.`,
    'It may be waiting for a disk that does not respond. End it with the tools of the operating system.',
  );
}

const whereIs = (status: RunStatus) => presence(status, status.heartbeat);

/** If the system does not report when a process started, the command line decides which one has that PID. */
const isTheRuns = (run: string, status: RunStatus): Promise<boolean> =>
  isOurTrainer(status, status.heartbeat, status.started === undefined ? basename(run) : '');

async function gone(pid: number, time: number): Promise<boolean> {
  const clock = awakeClock();
  for (;;) {
    if (!(await groupIsThere(pid))) return true;
    if (clock.read() > time) return false;
    await wait(LOOK_MS);
  }
}

/** The status is "running" but the process is gone: it ended unexpectedly. */
async function lost(run: string, begun: RunStatus): Promise<StopOutcome> {
  await markStopped(run, begun);
  return stopOutcome(run, begun, true);
}

/**
 * Writes the final status on behalf of a trainer that is gone, as the run's owner. Does nothing if another process owns
 * it by now.
 */
async function markStopped(run: string, { nonce, heartbeat, ...of }: RunStatus): Promise<void> {
  const got = await claim(run, { earlier: { ...of, nonce, at: heartbeat } });
  if (!('owner' in got)) return;
  try {
    const last = await statusOf(run);
    if (last?.nonce === nonce && last.state === 'running') writeStatus(run, { ...last, state: 'stopped' });
  } finally {
    got.owner.release();
  }
}

/** A trainer on another machine can only be sent a request. */
async function elsewhere(run: string, begun: RunStatus, time: number): Promise<StopOutcome> {
  const clock = awakeClock();
  while (clock.read() < time) {
    const status = await statusOf(run);
    if (status && status.state !== 'running') return stopOutcome(run, status, false);
    await wait(LOOK_MS);
  }
  throw new AuroraError(
    'run',
    `The trainer on ${begun.host} (process ${begun.pid}) was asked to stop and has not responded yet.`,
    'End it on that machine.',
  );
}

/**
 * The outcome of a stop request, read from the run folder: the sentence states only what is there.
 * @param forced true if the process had to be killed, or was already gone
 */
async function stopOutcome(run: string, status: RunStatus, forced: boolean): Promise<StopOutcome> {
  const savedStep = (await checkpointSteps(run)).at(-1);
  const state = forced ? 'killed' : status.state === 'running' ? 'killed' : status.state;
  return { state, savedStep, message: sentence(state, status.step, savedStep) };
}

function sentence(state: StopOutcome['state'], step: number, saved: number | undefined): string {
  const resume =
    saved === undefined
      ? 'Nothing was saved yet; Resume starts over.'
      : `Resume continues from step ${saved}, the last one saved.`;
  switch (state) {
    case 'finished':
      return `The run had finished at step ${step} before it could be stopped; its adapter is saved.`;
    case 'failed':
      return `The run had failed at step ${step} before it could be stopped. ${resume}`;
    case 'stopped':
      return saved === undefined
        ? 'Stopped before the first step was saved; Resume starts over.'
        : `Stopped; the adapter is saved at step ${saved}.`;
    case 'killed':
      return `The trainer did not respond and was terminated at step ${step}. ${resume}`;
  }
}
