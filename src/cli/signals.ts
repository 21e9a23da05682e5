import { EXIT } from '../base/errors';

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
