import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError, errorFrom } from '../../base/errors';
import { inEnglish } from '../../base/l10n';
import { type StartedTrainer, startTrainer } from './start-trainer';
import { readIfThere } from '../../files/read';
import type { RunStatus } from '../../protocol/events';
import { endReason } from '../../protocol/run-files/unexpected-end';
import { runPaths } from '../../runs/layout';
import { logTail, statusOf } from './run-status';

export interface Launch {
  node: string;
  /** Arguments after the program itself. */
  args: readonly string[];
  run: string;
  env: NodeJS.ProcessEnv;
  /** Timeout in milliseconds; longer for a program that checks a lot before it starts. */
  patience?: number;
  /** It has started only when its status gives a number of steps: before that it checks, and may refuse. */
  checks?: boolean;
  /** The hint if Node cannot be started. */
  hint?: string;
}

/** A trainer writes its first status within a second; from a cold disk, or on a busy machine, within this. */
const FIRST_WORD_MS = 30_000;
const LOOK_MS = 50;

/**
 * Starts a trainer that outlives this process. Returns once the run folder shows that it works.
 *
 * @throws AuroraError that the trainer reported, if it ended before there was a run
 */
export async function launchTrainer({
  node,
  args,
  run,
  env,
  patience = FIRST_WORD_MS,
  checks = false,
  hint = 'Check the setting aurora.nodePath.',
}: Launch): Promise<StartedTrainer> {
  const before = (await statusOf(run))?.nonce;
  const trainer = await startTrainer({ node, args, run, cwd: run, env, hint });
  let ended: number | NodeJS.Signals | undefined;
  void trainer.ended.then((end) => (ended = end));
  for (const until = performance.now() + patience; performance.now() < until; await wait(LOOK_MS)) {
    const over = ended;
    const status = await statusOf(run);
    const isNew = status !== undefined && status.nonce !== before;
    if (isNew && !(checks && isChecking(status)) && !(await hasRefused(run, status))) break;
    if (over !== undefined) throw (await reportedBy(trainer)) ?? (await endedAtOnce(run, over));
  }
  return trainer;
}

/** After a failure, also waits until its process has ended and its output is complete. */
const isChecking = ({ state, steps }: RunStatus): boolean =>
  state === 'failed' || (steps === 0 && state === 'running');

/** A trainer that refuses before there is a run ends at once, and reports the error then. */
const hasRefused = async (run: string, { state }: RunStatus): Promise<boolean> =>
  state === 'failed' && (await readIfThere(runPaths(run).spec)) === undefined;

async function reportedBy(trainer: StartedTrainer): Promise<AuroraError | undefined> {
  const record = await trainer.error;
  return record && errorFrom(record);
}

/** It crashed. */
async function endedAtOnce(run: string, end: number | NodeJS.Signals): Promise<AuroraError> {
  const said = await logTail(run);
  const how =
    typeof end === 'string'
      ? `: ${inEnglish(() => endReason({ signal: end }))}.${said && ` ${said}`}`
      : ` (with code ${end})${said ? `: ${said}` : ' without output'}.`;
  return new AuroraError(
    'failed',
    `The trainer ended immediately${how}`,
    `See the log ${runPaths(run).log}.`,
  );
}
