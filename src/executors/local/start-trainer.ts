import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { AuroraError, type KnownError } from '../../base/errors';
import { childEnvironment, largePages } from '../../files/child-environment';
import { ERROR_PIPE, reportedError } from '../../files/error-pipe';
import { recordSignal } from '../../runs/ended/signal';
import { runPaths } from '../../runs/layout';
import { LOG_TIMES_VARIABLE } from './log-times';

/**
 * Megabytes for new objects, of which V8 keeps three times as many. With its own 16, the memory for building graphs and
 * reading texts once would stay in use during training: 10 to 30 MB more, in the same time.
 */
const NEW_OBJECTS = '--max-semi-space-size=2';

export interface LocalTrainer {
  node: string;
  /** The program and its arguments. */
  args: readonly string[];
  /** The folder of a run or a sweep, which exists. */
  run: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Set if it waits for a line on standard input before it starts (`--when-told`). */
  waits?: boolean;
  /** The hint if Node cannot be started. */
  hint?: string;
}

export interface StartedTrainer {
  pid: number;
  /** Exit code, or the signal that ended it. Can be awaited long after. */
  ended: Promise<number | NodeJS.Signals>;
  /** The error that ended it; undefined if it reported none. */
  error: Promise<KnownError | undefined>;
  /** Lets a waiting trainer start. */
  begin(): void;
}

/**
 * Starts a trainer, or the queue of a sweep, that outlives this process: in a separate process group, without a shell,
 * and with its output in the run's trainer.log (a file, so that training continues without a reader). While this process
 * lives, a signal that ends the trainer is recorded in the folder.
 *
 * @returns when the process has started
 * @throws AuroraError 'device' if Node cannot be started
 */
export async function startTrainer(trainer: LocalTrainer): Promise<StartedTrainer> {
  const { node, args, run, cwd, env, waits = false, hint } = trainer;
  const log = await open(runPaths(run).log, 'a');
  let child: ChildProcess;
  let ended: StartedTrainer['ended'];
  let error: StartedTrainer['error'];
  try {
    child = spawn(node, [NEW_OBJECTS, ...args], {
      cwd,
      env: childEnvironment(env, { ...largePages(env), ...ERROR_PIPE, [LOG_TIMES_VARIABLE]: '1' }),
      detached: true,
      windowsHide: true,
      stdio: [waits ? 'pipe' : 'ignore', log.fd, log.fd, 'pipe'],
    });
    error = reportedError(child);
    // A trainer that ends before it may start reports the reason in its folder.
    child.stdin?.on('error', () => undefined);
    ended = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        if (signal) recordSignal(run, child.pid!, signal);
        resolve(code ?? signal ?? 1);
      }),
    );
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  } catch (e) {
    throw new AuroraError('device', `${node} could not be started: ${(e as Error).message}.`, hint, {
      cause: e,
    });
  } finally {
    await log.close();
  }
  child.unref();
  return { pid: child.pid!, ended, error, begin: () => void child.stdin?.end('\n') };
}
