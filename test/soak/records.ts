import { statSync } from 'node:fs';
import { join } from 'node:path';
import { SCALAR_COLUMNS } from '../../src/protocol/events';

/** The number of steps that a run has recorded. */
export const recordsOf = (run: string | undefined): number =>
  run === undefined
    ? 0
    : Math.floor(
        (statSync(join(run, 'scalars.bin'), { throwIfNoEntry: false })?.size ?? 0) /
          (8 * SCALAR_COLUMNS.length),
      );
