import { EXIT } from '../shared/errors';

/** The first Ctrl-C asks the loop to stop after this step; the second one ends the process at once. */
export function onInterrupt(words = 'Stopping after this step; once more to quit at once.'): () => boolean {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (asked) process.exit(EXIT.stopped);
      asked = true;
      process.stderr.write(`\n${words}\n`);
    });
  return () => asked;
}

/** Ends the process by way of its exit handlers, which take away what it has made. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => process.exit(EXIT.stopped));
}
