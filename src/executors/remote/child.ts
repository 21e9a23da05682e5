import { spawn } from 'node:child_process';
import { childEnvironment } from '../../files/child-environment';

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** For what a background process, such as ssh's master connection, may keep open. */
const REST_MS = 200;

/**
 * Runs a program without a shell, and returns what it printed.
 *
 * @param options.output called with each piece of what it prints
 * @returns undefined if it was killed after `timeoutMs`
 * @throws the system's error (ENOENT) if it cannot be started
 */
export function runChild(
  program: string,
  args: readonly string[],
  {
    input = '',
    timeoutMs,
    output,
  }: { input?: string | Uint8Array; timeoutMs: number; output?: (text: string) => void },
): Promise<Output | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      env: childEnvironment(),
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
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
      resolve(late ? undefined : { code: code ?? 1, stdout, stderr });
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
