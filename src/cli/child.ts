import { EXIT } from '../base/errors';
import { write } from './write';

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
