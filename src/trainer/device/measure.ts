import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireOwned, stillOwned } from '../../files/fence';
import type { Place } from '../../engine/place';
import { askChild } from '../process/child';
import type { Task } from '../task/task';
import type { Trial } from './fastest';
import { trialBytes, type TrialAnswer, type TrialRequest } from './trial';

const MEASURE_COMMAND = 'measure-device';

export interface MeasureOptions extends Pick<TrialRequest, 'threads' | 'onFeatures' | 'once'> {
  /** Temporary graphs go below it; on the model's file system where possible. */
  folder: string;
  /** The built program, dist/cli.cjs. */
  program: string;
  /** Asked while a device is measured: whether to leave it. */
  stopped: () => boolean;
  /** Milliseconds that the first device may take, which is the processor's. */
  limit?: number;
}

/** How long a device takes decides how long those after it may: what needs this much longer is no gain. */
const FIRST_LIMIT_MS = 600_000;
const NEXT_LIMIT_MS = 60_000;
const NEXT_FACTOR = 3;

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
      limit = Math.min(limit, Math.max(NEXT_LIMIT_MS, NEXT_FACTOR * (performance.now() - began)));
  }
  return trials;
}

async function inChild(
  task: Task,
  place: Place,
  limit: number,
  { folder, program, stopped, ...options }: MeasureOptions,
): Promise<Omit<Trial, 'place'> | undefined> {
  const own = join(folder, `trial-${place.device}`);
  requireOwned(own);
  mkdirSync(own, { recursive: true });
  const file = join(own, 'request.bin');
  writeFileSync(file, trialBytes(task, place, { ...options, folder: join(own, 'graph') }));
  try {
    const args = [MEASURE_COMMAND, file];
    const { answer, how, ended } = await askChild<TrialAnswer>({ program, args, limit, stopped });
    // A Ctrl-C reaches the child first.
    if (ended === 'stopped' || stopped()) return undefined;
    if (ended) return { problem: `a step was not done in ${Math.round(limit / 1000)} s` };
    if (!answer) return { problem: `the process that tried it crashed (${how})` };
    if ('problem' in answer) return answer;
    return { secondsPerStep: answer.secondsPerStep };
  } finally {
    // The run may be another process's by now, which writes there.
    if (stillOwned(own)) rmSync(own, { recursive: true, force: true });
  }
}
