import { spawn } from 'node:child_process';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { childEnvironment } from '../../files/child-environment';

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ChildOptions {
  input?: string | Uint8Array;
  timeoutMs: number;
  /** Called with each piece of its output. */
  output?: (text: string) => void;
  /** Bytes of its output that are read at most. */
  mostBytes?: number;
}

/** The time for pipes that a background process, such as ssh's master connection, may keep open. */
const REST_MS = 200;
/** Several times the output of Slurm and Kubernetes about ten thousand trials. */
const MOST_BYTES = 64_000_000;
/** The first and the last lines of an error output state the problem. */
const MOST_ERROR = 32_768;
const LONG_LINE = /([^\n]{500})[^\n]+/g;

/**
 * Runs a program without a shell, and returns what it printed. The beginning and the end of its errors are kept.
 *
 * @returns undefined if it was killed after `timeoutMs`
 * @throws TooMuchOutput if it prints more than `mostBytes`; the system's error (ENOENT) if it cannot be started
 */
export function runChild(
  program: string,
  args: readonly string[],
  { input = '', timeoutMs, output, mostBytes = MOST_BYTES }: ChildOptions,
): Promise<Output | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      env: childEnvironment(),
    });
    const pieces: Buffer[] = [];
    let size = 0;
    const decoder = new TextDecoder();
    const stderr = new Errors();
    let late = false;
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > mostBytes) {
        clearTimeout(timer);
        child.stdout.destroy();
        child.stderr.destroy();
        child.kill('SIGKILL');
        reject(new TooMuchOutput(program, mostBytes));
        return;
      }
      pieces.push(piece);
      output?.(decoder.decode(piece, { stream: true }));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.add(text));
    const timer = setTimeout(() => {
      // It has ended, and another process holds its output.
      if (child.exitCode !== null || child.signalCode !== null) return end(child.exitCode);
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.once('error', (e) => {
      clearTimeout(timer);
      reject(e);
    });
    const end = (code: number | null) => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      if (late) return resolve(undefined);
      resolve({ code: code ?? 1, stdout: Buffer.concat(pieces).toString('utf8'), stderr: stderr.text() });
    };
    child.once('close', end);
    child.once('exit', (code) => {
      // Its output, which may be long, is complete when the stream ends: at the latest, when its time is over, since another
      // process may hold the stream.
      const wait = () => setTimeout(() => end(code), REST_MS);
      if (child.stdout.readableEnded) wait();
      else child.stdout.once('end', wait);
      if (late) end(code);
    });
    // A program that does not read its input has its reasons in its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The beginning and the end of a program's error output. */
class Errors {
  private first = '';
  private last = '';

  add(text: string): void {
    const room = MOST_ERROR - this.first.length;
    this.first += text.slice(0, room);
    this.last = (this.last + text.slice(room)).slice(-MOST_ERROR);
  }

  text(): string {
    // They become parts of messages.
    return (this.first + this.last).replaceAll(LONG_LINE, '$1…');
  }
}

/** A program that has printed more than is read. */
export class TooMuchOutput extends AuroraError {
  constructor(program: string, most: number) {
    super(
      'network',
      `${program} printed more than ${bytes(most)} and was stopped.`,
      'Check what the login node or the cluster prints: a shell there may print without end.',
    );
  }
}
