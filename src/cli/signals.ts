import { EXIT } from '../base/errors';

let hungUp = false;

/** Whether the terminal was closed while a command was asked to stop: nobody reads what it prints, and it still has to save. */
export const terminalIsGone = (): boolean => hungUp;

/**
 * The first Ctrl-C asks the loop to stop after this step, and so does a terminal that closes. A second Ctrl-C ends the
 * process at once; a second hang-up does not, since systems send several while one closes.
 */
export function onInterrupt(words = 'Stopping after this step; once more to quit at once.'): () => boolean {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      hungUp ||= signal === 'SIGHUP';
      if (asked && signal !== 'SIGHUP') process.exit(EXIT.stopped);
      // A terminal that is gone takes no words: main.ts passes over the error.
      if (!asked) process.stderr.write(`\n${words}\n`);
      asked = true;
    });
  return () => asked;
}

/** Ends the process by way of its exit handlers, which take away what it has made. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => process.exit(EXIT.stopped));
}
