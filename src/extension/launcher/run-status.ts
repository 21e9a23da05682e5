import { readdir } from 'node:fs/promises';
import { withoutTimes } from '../../executors/local/log-times';
import { parseJson } from '../../files/json';
import { runPaths, stepOfName } from '../../runs/layout';
import { checkStatus } from '../../runs/status';
import { readIfThere } from '../../files/read';
import { lastLines, readTail } from './log-tail';
import type { RunStatus } from '../../protocol/events';

/** `readStatus` without blocking: undefined before the trainer's first status. */
export async function statusOf(run: string): Promise<RunStatus | undefined> {
  const path = runPaths(run).status;
  const bytes = await readIfThere(path);
  return bytes && checkStatus(path, parseJson(path, bytes));
}

/** The steps of the run's checkpoints, ascending. */
export async function checkpointSteps(run: string): Promise<number[]> {
  const names = await readdir(runPaths(run).checkpoints).catch(() => [] as string[]);
  return names
    .map(stepOfName)
    .filter((step) => step !== undefined)
    .sort((a, b) => a - b);
}

/** Lines of a log that are shown in a message. */
const SAID = 6;

/** The last lines of the trainer's output, for a message, without their times; empty if there is none. */
export async function logTail(run: string): Promise<string> {
  const end = await readTail(runPaths(run).log, 8192);
  return lastLines(withoutTimes(end?.text ?? ''), SAID);
}
