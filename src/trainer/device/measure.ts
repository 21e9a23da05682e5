import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../../engine/place';
import type { Task } from '../task';
import type { Trial } from './fastest';
import { trialBytes, type TrialAnswer } from './trial';

export const MEASURE_COMMAND = 'measure-device';

export interface MeasureOptions {
  /** Intra-op threads; 0 for one a core. */
  threads: number;
  /** Temporary graphs go below it; on the model's file system where possible. */
  folder: string;
  /** The built program, dist/cli.cjs. */
  program: string;
  /** Asked while a device is measured: whether to leave it. */
  stopped: () => boolean;
  /** Milliseconds that the first device may take, which is the processor's. */
  limit?: number;
}

/** How long the first device takes decides how long the others may: what needs this much longer is no gain. */
const FIRST_LIMIT_MS = 600_000;
const NEXT_LIMIT_MS = 60_000;
const NEXT_FACTOR = 3;
const LOOK_MS = 100;

/**
 * Measures the first step of a run on several devices, each in a process of its own: a driver that crashes or
 * hangs takes nothing along, and all are measured alike.
 *
 * @returns undefined where it was told to stop
 */
export async function measureDevices(
  task: Task,
  places: readonly Place[],
  options: MeasureOptions,
): Promise<Trial[] | undefined> {
  const trials: Trial[] = [];
  let limit = options.limit ?? FIRST_LIMIT_MS;
  for (const place of places) {
    if (options.stopped()) return undefined;
    const began = performance.now();
    const answer = await inChild(task, place, limit, options);
    if (!answer) return undefined;
    trials.push({ place, ...answer });
    if ('secondsPerStep' in answer)
      limit = Math.max(NEXT_LIMIT_MS, NEXT_FACTOR * (performance.now() - began));
  }
  return trials;
}

async function inChild(
  task: Task,
  place: Place,
  limit: number,
  { threads, folder, program, stopped }: MeasureOptions,
): Promise<Omit<Trial, 'place'> | undefined> {
  const own = join(folder, `trial-${place.device}`);
  mkdirSync(own, { recursive: true });
  const file = join(own, 'request.bin');
  writeFileSync(file, trialBytes(task, place, threads, join(own, 'graph')));
  try {
    // Its standard input ends with this process: then it ends too.
    const child = spawn(process.execPath, [program, MEASURE_COMMAND, file], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    let told = '';
    child.stdout.on('data', (bytes: Buffer) => (told += bytes.toString()));
    const ended = { late: false, stopped: false };
    const kill = (why: keyof typeof ended) => {
      ended[why] = true;
      child.kill('SIGKILL');
    };
    const late = setTimeout(() => kill('late'), limit);
    const look = setInterval(() => stopped() && kill('stopped'), LOOK_MS);
    const how = await new Promise<string>((resolve) => {
      child.once('error', (e) => resolve(e.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    clearTimeout(late);
    clearInterval(look);
    // A Ctrl-C reaches the child first.
    if (ended.stopped || stopped()) return undefined;
    if (ended.late) return { problem: `a step was not done in ${Math.round(limit / 1000)} s` };
    return answerIn(told) ?? { problem: `the process that tried it crashed (${how})` };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** A driver may print, too; ours is the last line that is JSON. */
function answerIn(text: string): Omit<Trial, 'place'> | undefined {
  const line = text.split('\n').findLast((l) => l.startsWith('{'));
  if (line === undefined) return undefined;
  const answer = JSON.parse(line) as TrialAnswer;
  return 'problem' in answer ? { problem: answer.problem } : { secondsPerStep: answer.secondsPerStep };
}
