import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { AuroraError, errorFrom, type KnownError } from '../../base/errors';
import { childEnvironment, largePages } from '../../files/child-environment';
import { ERROR_PIPE, reportedError } from '../../files/error-pipe';
import { killTree } from '../../files/processes';
import { lastLines } from './run-status';

/**
 * Checks take seconds, a budget less. Commands that run a model over data take as long as they need, and have a Cancel
 * button.
 */
const PROGRAM_TIMEOUT_MS = 15 * 60_000;

/** Time to remove temporary files. With a hanging driver this is not possible. */
const GRACE_MS = 3000;

/** Maximum output kept; the oldest is dropped. */
const STDERR_KEPT = 64 * 1024;
const STDOUT_KEPT = 64 * 1024 * 1024;

export interface ProgramResult {
  code: number;
  stdout: string;
  stderr: string;
  /** The error that ended it, if it reported one. */
  error?: KnownError;
}

/** A command that was started. */
export interface RunningProgram {
  /** Resolves when it ends, with any exit code. AuroraError if it could not be started, was canceled or timed out. */
  ended: Promise<ProgramResult>;
  /** Writes a line to its standard input. Does nothing if the program has ended or was started without input. */
  send(line: string): void;
  /**
   * Ends the program and everything it started.
   *
   * @param now without time to clean up, because nobody is left to wait for it
   */
  kill(why: string, now?: boolean): void;
}

export interface ProgramRun {
  node: string;
  args: readonly string[];
  cwd?: string;
  env: NodeJS.ProcessEnv;
  onLine?: (line: string) => void;
  timeout?: number;
  /** The program reads lines from its standard input, which `send` writes. */
  input?: boolean;
  /** The hint if Node cannot be started. */
  hint?: string;
}

/**
 * No shell; a separate process group, so that everything in it can be ended; and no standard input unless it needs one,
 * so that it never waits for input.
 */
export function startProgram(run: ProgramRun): RunningProgram {
  const { node, args, cwd, env, onLine, timeout, input, hint = 'Check the setting aurora.nodePath.' } = run;
  const child = spawn(node, args, {
    cwd,
    env: childEnvironment(env, { ...largePages(env), ...ERROR_PIPE }),
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
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
  // setTimeout cannot wait forever.
  const timer =
    limit === Infinity
      ? undefined
      : setTimeout(() => kill(`took longer than ${Math.round(limit / 1000)} s`), limit);
  const out = collect(STDOUT_KEPT, onLine);
  const err = collect(STDERR_KEPT);
  child.stdout!.on('data', out.add);
  child.stderr!.on('data', err.add);
  const reported = reportedError(child);
  // A program that has just ended accepts no input; `ended` reports its end.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<ProgramResult>((resolve, reject) => {
    child.once('error', (e) =>
      reject(new AuroraError('device', `${node} could not be started: ${e.message}.`, hint)),
    );
    child.once('close', (code, signal) => {
      const stdout = out.end();
      const stderr = err.end();
      if (killed !== undefined)
        return reject(new AuroraError('stopped', `aurora ${args[1] ?? ''} ${killed} and was stopped.`));
      void reported.then((error) =>
        resolve({
          // Killed from outside: same exit code as in a shell.
          code: code ?? 128,
          stdout,
          stderr: signal ? `${stderr}\nended by ${signal}\n` : stderr,
          error,
        }),
      );
    });
  }).finally(() => clearTimeout(timer));
  return { ended, kill, send: (line) => void child.stdin?.write(`${line}\n`) };
}

/** Collects a stream's text, and emits complete lines as they arrive. */
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

/** Lines of a program that failed without reporting an error: the reason is rarely in the last one alone. */
const SAID = 6;

/** The error that ended an `aurora` command or, if it crashed, the end of its output. */
export function programError({ code, stderr, error }: ProgramResult, command: string): AuroraError {
  if (error) return errorFrom(error);
  const said = lastLines(stderr.trim(), SAID);
  return new AuroraError(
    'failed',
    `aurora ${command} ended with code ${code}${said ? `: ${said}` : ' without output'}.`,
    'Run it in a terminal for details.',
  );
}

/** Parses a JSON line of `aurora … --json`; undefined if it is not one, or of an unknown kind. */
export function programLine<T extends { kind: string }>(
  line: string,
  known: readonly T['kind'][],
): T | undefined {
  try {
    const value = JSON.parse(line) as T | null;
    return value && known.includes(value.kind) ? value : undefined;
  } catch {
    return undefined;
  }
}
