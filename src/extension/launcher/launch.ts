import { setTimeout as wait } from 'node:timers/promises';
import { startTrainer, type StartedTrainer } from '../../executors/local/start';
import type { RunStatus } from '../../protocol/events';
import { AuroraError, EXIT } from '../../base/errors';
import { inEnglish } from '../../base/l10n';
import { effectiveEvents, parseJournal } from '../../runs/journal/reader';
import { runPaths } from '../../runs/layout';
import { endReason } from '../../protocol/run-files/unexpected-end';
import { readIfThere } from '../../files/read';
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
}

/** A trainer writes its first status within a second; from a cold disk, or on a busy machine, within this. */
const FIRST_WORD_MS = 30_000;
const LOOK_MS = 50;
/** An error may have one line for each trial of a sweep. */
const LOG_LINES = 400;
/** The number of lines to show from a trainer that ended without reporting an error. */
const SAID = 6;

/**
 * Starts a trainer that outlives this process. Returns once the run folder shows that it works; throws if it does not.
 * AuroraError if it ended without reporting anything there.
 */
export async function launchTrainer({
  node,
  args,
  run,
  env,
  patience = FIRST_WORD_MS,
  checks = false,
}: Launch): Promise<StartedTrainer> {
  const before = (await statusOf(run))?.nonce;
  const hint = 'Check the setting aurora.nodePath.';
  const trainer = await startTrainer({ node, args, run, cwd: run, env, hint });
  let ended: number | NodeJS.Signals | undefined;
  void trainer.ended.then((end) => (ended = end));
  for (const until = performance.now() + patience; performance.now() < until; await wait(LOOK_MS)) {
    const over = ended;
    const status = await statusOf(run);
    const begun = status && status.nonce !== before && !(checks && isChecking(status));
    if (begun) {
      if (status.state === 'failed') await refuseWithoutSpec(run);
      break;
    }
    if (over !== undefined) throw await endedAtOnce(run, over);
  }
  return trainer;
}

/** After a failure, also waits until its process has ended and its output is complete. */
const isChecking = ({ state, steps }: RunStatus): boolean =>
  state === 'failed' || (steps === 0 && state === 'running');

/** A trainer that refused before there was a run reports it in the journal. To the caller, that is an error. */
async function refuseWithoutSpec(run: string): Promise<void> {
  const paths = runPaths(run);
  if ((await readIfThere(paths.spec)) !== undefined) return;
  const journal = parseJournal((await readIfThere(paths.events)) ?? new Uint8Array(0), paths.events);
  const failed = effectiveEvents(journal).findLast((e) => e.kind === 'failed');
  const kind = failed?.error === 'inputs' ? 'inputs' : 'run';
  throw new AuroraError(kind, failed?.message ?? 'The run could not start.', failed?.hint);
}

/** The last message of a program in its log, if it ends with one: "error: MESSAGE", then an indented hint. */
export async function loggedError(run: string): Promise<{ message: string; hint?: string } | undefined> {
  const own = /(?:^|[^]*\n)error: ([^]*?)(?:\n {7}([^]*))?$/.exec(await logTail(run, LOG_LINES));
  if (!own) return undefined;
  const hint = own[2]?.replace(/\n {7}/g, ' ').trim();
  return { message: own[1].trim(), hint };
}

const lastOf = (said: string): string => said.split('\n').slice(-SAID).join('\n');

async function endedAtOnce(run: string, end: number | NodeJS.Signals): Promise<AuroraError> {
  const said = await logTail(run, LOG_LINES);
  const own = await loggedError(run);
  const kind = end === EXIT.owned ? 'owned' : end === EXIT.inputs ? 'inputs' : 'run';
  if (typeof end === 'string') {
    return new AuroraError(
      'failed',
      `The trainer ended immediately: ${inEnglish(() => endReason({ signal: end }))}.${said && ` ${lastOf(said)}`}`,
      `See the log ${runPaths(run).log}.`,
    );
  }
  if (own) return new AuroraError(kind, own.message, own.hint);
  return new AuroraError(
    'failed',
    `The trainer ended immediately (with code ${end})${said ? `: ${lastOf(said)}` : ' without output'}.`,
    `See the log ${runPaths(run).log}.`,
  );
}
