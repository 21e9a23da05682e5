import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { childEnvironment } from '../files/child-environment';
import { onProcessor } from '../engine/devices';
import { ENGINES } from '../engine/place';
import type { Experiment } from '../experiment/experiment';
import type { PreflightLine } from '../protocol/preflight';
import type { SweepRoom } from '../runs/sweep/record';
import { availableMemory } from '../training/micro-batch/available';

/** Share of the free memory for all trials together; other processes need some, too. */
const SHARE = 0.9;
/** Preflight's JSON lines are a few kilobytes. */
const MOST_WORDS = 16 * 1024 * 1024;

/** Interval between stop checks during a measurement, and the number of requests before it is killed. */
const LOOK_MS = 100;
const MOST_ASKED = 50;

/** Devices of which there are as many as there are, regardless of the number of cores. */
const GRAPHICS: readonly string[] = Object.values(ENGINES)
  .flat()
  .filter((device) => !onProcessor({ device }));

export interface RoomRequest {
  cores: number;
  /** Free bytes; undefined if the system does not report them. */
  available: number | undefined;
  /** Bytes per trial; undefined if not measured. */
  memory: number | undefined;
  /** The requested number of trials at a time. */
  asked: number | undefined;
  /** Requested threads per trial; 0 for a fair share of the cores. */
  threads: number;
  device: string;
  /** The number of GPUs that trials can be spread over. */
  gpus: number;
  trials: number;
}

/** The number of trials that fit, and the number of threads of each: together, they take no more than the cores. */
export function roomFor(r: RoomRequest): { parallel: number; threads: number } {
  const fits = r.memory === undefined || r.available === undefined ? 1 : (SHARE * r.available) / r.memory;
  const cores = Math.floor(r.cores / Math.max(1, r.threads));
  const most =
    r.asked ?? (GRAPHICS.includes(r.device) ? Math.max(1, r.gpus) : Math.min(cores, Math.floor(fits)));
  const parallel = Math.max(1, Math.min(most, r.trials));
  return { parallel, threads: r.threads || Math.max(1, Math.floor(r.cores / parallel)) };
}

/** A trial's preflight; `code` and `problem` state why it ended early. */
export interface TrialMeasured extends Measured {
  code: number;
  problem?: { message: string; hint?: string };
}

export interface Measured {
  memory?: number;
  /** The whole run. */
  seconds?: number;
  engine?: string;
  device?: string;
}

/** Tokens of the longest batch: the more of them, the more memory. */
export const tokensAtOnce = ({ model, training: t }: Experiment): number =>
  model.maxLength * Math.min(t.batchSize, t.microBatchSize ?? Infinity);

/**
 * A preflight's result for a trial's memory and device. It runs in a separate process, so that a hanging driver affects
 * nothing else.
 *
 * @param file the trial's experiment
 * @param stopped polled: true to end that process now
 * @param steps that are measured; one is enough for its memory
 */
export async function measureTrial(
  program: string,
  file: string,
  place: readonly string[],
  stopped: () => boolean,
  steps = 1,
): Promise<TrialMeasured> {
  const args = [program, 'preflight', file, '--json', '--steps', String(steps), ...place];
  const { out, code } = await new Promise<{ out: string; code: number }>((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { maxBuffer: MOST_WORDS, windowsHide: true, env: childEnvironment() },
      (e, stdout) => {
        clearInterval(look);
        resolve({ out: stdout, code: typeof e?.code === 'number' ? e.code : e ? 1 : 0 });
      },
    );
    let asked = 0;
    const look = setInterval(() => {
      if (!stopped()) return;
      // It removes its temporary files if it can; a driver may prevent that.
      child.kill(asked++ < MOST_ASKED ? 'SIGTERM' : 'SIGKILL');
    }, LOOK_MS);
  });
  const measured: TrialMeasured = { code };
  for (const line of out.split('\n')) {
    const told = line.startsWith('{') ? (JSON.parse(line) as PreflightLine) : undefined;
    if (told?.kind === 'estimate')
      Object.assign(measured, { memory: told.memoryBytes, seconds: 60 * told.minutes });
    if (told?.kind === 'problem' && told.severity === 'error')
      measured.problem = { message: told.message, hint: told.hint };
    if (told?.kind === 'device') Object.assign(measured, { engine: told.engine, device: told.device });
  }
  return measured;
}

/** The trials and threads that fit on this machine now, for trials as measured. */
export function roomNow(
  { memory, engine, device }: Measured & { engine: string; device: string },
  asked: Pick<RoomRequest, 'asked' | 'threads' | 'gpus' | 'trials'>,
): SweepRoom {
  const now = { cores: availableParallelism(), available: availableMemory(), memory, device };
  return { ...roomFor({ ...now, ...asked }), memory, engine, device };
}
