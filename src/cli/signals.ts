import { EXIT } from '../base/errors';
import { write } from './output';

let hungUp = false;

/** True if the terminal has closed. Nobody reads the output, but a command that is stopping must still save. */
export const terminalIsGone = (): boolean => hungUp;

/**
 * The first Ctrl-C, or closing the terminal, asks the loop to stop after this step. A second Ctrl-C exits immediately;
 * a second hang-up does not, since systems send several while a terminal closes.
 */
export function onInterrupt(
  words = 'Stopping after this step. Press Ctrl-C again to quit immediately.',
): () => boolean {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      hungUp ||= signal === 'SIGHUP';
      if (asked && signal !== 'SIGHUP') process.exit(EXIT.stopped);
      // Writing to a closed terminal fails; main.ts ignores the error.
      if (!asked) process.stderr.write(`\n${words}\n`);
      asked = true;
    });
  return () => asked;
}

/** Exits through the exit handlers, which remove temporary files. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => process.exit(EXIT.stopped));
}

/** For a child process of this program (training/process/child.ts): exits when its parent does. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(EXIT.stopped)).resume();
}

/** Writes the whole line, then exits: resources that a driver leaves open must not keep the process alive. */
export async function answerParent(value: object): Promise<never> {
  await write(`\n${JSON.stringify(value)}\n`);
  process.exit(EXIT.ok);
}

/** Waits for the parent's signal to begin. False if the parent ends first. */
export const toldToBegin = (): Promise<boolean> =>
  new Promise((resolve) =>
    process.stdin
      .once('data', () => {
        process.stdin.destroy();
        resolve(true);
      })
      .once('end', () => resolve(false)),
  );
