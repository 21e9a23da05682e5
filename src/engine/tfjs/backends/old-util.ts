import util from 'node:util';

/** Functions that tfjs-node-gpu calls and Node 23 removed. */
export function provideOldUtil(): void {
  const old = util as { isNullOrUndefined?: (x: unknown) => boolean };
  old.isNullOrUndefined ??= (x) => x === null || x === undefined;
}
