import util from 'node:util';

/** What tfjs-node-gpu calls of Node, and Node 23 took away. */
export function provideOldUtil(): void {
  const old = util as { isNullOrUndefined?: (x: unknown) => boolean };
  old.isNullOrUndefined ??= (x) => x === null || x === undefined;
}
