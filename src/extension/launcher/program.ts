import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { killTree } from '../../files/process-tree';
import { childEnvironment } from '../../files/child-environment';
import { AuroraError } from '../../base/errors';
import type { ProgramResult } from './client';

/** Checks take seconds, a budget less. What runs a model over data takes as long as those want, and has a button to end it. */
export const PROGRAM_TIMEOUT_MS = 15 * 60_000;

/** To take temporary files away in; a driver that hangs lets nobody do so. */
const GRACE_MS = 3000;

/** More of its words than anybody reads: what came first is dropped. */
const STDERR_KEPT = 64 * 1024;
const STDOUT_KEPT = 64 * 1024 * 1024;

export interface ProgramRun {
  node: string;
  args: readonly string[];
  cwd?: string;
  env: NodeJS.ProcessEnv;
  onLine?: (line: string) => void;
  timeout?: number;
  /** It reads lines from its standard input, which `send` writes. */
  input?: boolean;
}

/** A short command that has been started. */
export interface RunningProgram {
  /** Its end; AuroraError where it could not be started, was cancelled or took too long. Any exit code is a result. */
  ended: Promise<ProgramResult>;
  /**
   * Ends it and all it started.
   *
   * @param now without the moment to tidy up in: nobody is there any more to see to its end
   */
  kill(why: string, now?: boolean): void;
  /** Writes a line to its standard input; nothing happens where it is gone, or was started without one. */
  send(line: string): void;
}

/**
 * No shell, a group of its own so that all of it can be ended, and nothing to read from unless it is to be told
 * something: so it never waits for input that nobody gives.
 */
export function startProgram({ node, args, cwd, env, onLine, timeout, input }: ProgramRun): RunningProgram {
  const child = spawn(node, args, {
    cwd,
    env: childEnvironment(env),
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let killed: string | undefined;
  const kill = (why: string, now = false) => {
    const { pid, exitCode, signalCode } = child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const end = () => void killTree(pid, 'SIGKILL');
    if (now) end();
    else if (killed === undefined) {
      void killTree(pid, 'SIGTERM');
      const grace = setTimeout(end, GRACE_MS);
      child.once('close', () => clearTimeout(grace));
    }
    killed ??= why;
  };
  const limit = timeout ?? PROGRAM_TIMEOUT_MS;
  // A timer cannot wait for ever.
  const timer =
    limit === Infinity
      ? undefined
      : setTimeout(() => kill(`took longer than ${Math.round(limit / 1000)} s`), limit);
  const out = collect(STDOUT_KEPT, onLine);
  const err = collect(STDERR_KEPT);
  child.stdout!.on('data', out.add);
  child.stderr!.on('data', err.add);
  // A program that has just ended takes no more; its end is told by `ended`.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<ProgramResult>((resolve, reject) => {
    child.once('error', (e) =>
      reject(
        new AuroraError('device', `${node} could not be started: ${e.message}.`, 'Check aurora.nodePath.'),
      ),
    );
    child.once('close', (code, signal) => {
      const stdout = out.end();
      const stderr = err.end();
      if (killed !== undefined)
        return reject(new AuroraError('stopped', `aurora ${args[1] ?? ''} ${killed} and was ended.`));
      // Ended by somebody else: as a shell counts it.
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}\nended by ${signal}\n` : stderr });
    });
  }).finally(() => clearTimeout(timer));
  return { ended, kill, send: (line) => void child.stdin?.write(`${line}\n`) };
}

/** A stream's text, and its whole lines as they come. */
function collect(keep: number, onLine?: (line: string) => void) {
  const decoder = new StringDecoder('utf8');
  let text = '';
  let open = '';
  const take = (part: string) => {
    text = (text + part).slice(-keep);
    if (!onLine) return;
    const lines = (open + part).split(/\r?\n/);
    open = lines.pop()!;
    lines.forEach((line) => onLine(line));
  };
  return {
    add: (bytes: Buffer) => take(decoder.write(bytes)),
    end: () => {
      take(decoder.end());
      if (onLine && open !== '') onLine(open);
      return text;
    },
  };
}
