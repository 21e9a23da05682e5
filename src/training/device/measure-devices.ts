import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../../engine/place';
import { discard } from '../../files/atomic';
import { requireOwned, stillOwned } from '../../files/fence';
import { askChild } from '../process/child';
import type { Task } from '../task/task';
import type { Trial } from './choose';
import { type TrialAnswer, trialBytes, type TrialRequest } from './device-trial';

const MEASURE_COMMAND = 'measure-device';

export interface MeasureOptions extends Pick<TrialRequest, 'threads' | 'onFeatures' | 'once'> {
  /** Parent of the temporary graphs; on the model's file system where possible. */
  folder: string;
  /** The built program, dist/cli.cjs. */
  program: string;
  /** Polled during a measurement: true to abandon it. */
  stopped: () => boolean;
  /** Milliseconds allowed for the first device, the CPU. */
  limit?: number;
}

/** The time of one device limits the next ones: a device that takes this much longer is of no use. */
const FIRST_LIMIT_MS = 600_000;
const NEXT_LIMIT_MS = 60_000;
const NEXT_FACTOR = 3;

/**
 * Measures a run's first step on several devices, each in a separate process: a driver that crashes or hangs affects
 * nothing else, and all are measured alike.
 *
 * @returns undefined if stopped
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
    // Ctrl-C reaches the child first.
    if (ended === 'stopped' || stopped()) return undefined;
    if (ended) return { problem: `a step took longer than ${Math.round(limit / 1000)} s` };
    if (!answer) return { problem: `the test process crashed (${how})` };
    if ('problem' in answer) return answer;
    return { secondsPerStep: answer.secondsPerStep };
  } finally {
    // By now another process may own the run and write there.
    if (stillOwned(own)) discard(own);
  }
}
