import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { AuroraError } from '../../shared/errors';
import type { ProgramResult } from './client';
import { killTree } from './processes';

/** Checks take seconds, a budget less, an export of a large model minutes. */
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
}

/** No shell, nothing to read from (it never waits for input), a group of its own so that all of it can be ended. */
export function startProgram({ node, args, cwd, env, onLine, timeout }: ProgramRun): RunningProgram {
  const child = spawn(node, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
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
  const timer = setTimeout(() => kill(`took longer than ${Math.round(limit / 1000)} s`), limit);
  const out = collect(STDOUT_KEPT, onLine);
  const err = collect(STDERR_KEPT);
  child.stdout.on('data', out.add);
  child.stderr.on('data', err.add);
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
  return { ended, kill };
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
