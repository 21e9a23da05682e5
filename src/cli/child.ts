import { EXIT } from '../base/errors';
import { write } from './write';

/** Of a process that this program started for itself (trainer/child.ts): it ends with its parent. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(EXIT.stopped)).resume();
}

/** The whole line, and then the end: what a driver leaves behind must not keep the process. */
export async function answerParent(value: object): Promise<never> {
  await write(`\n${JSON.stringify(value)}\n`);
  process.exit(EXIT.ok);
}

/** Waits until the process that started this one says to begin. False where it is gone before it has. */
export const toldToBegin = (): Promise<boolean> =>
  new Promise((resolve) =>
    process.stdin
      .once('data', () => {
        process.stdin.destroy();
        resolve(true);
      })
      .once('end', () => resolve(false)),
  );
