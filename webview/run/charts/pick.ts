import { nearest } from '../../charts/search';
import type { Point } from '../fork';
import type { RunData } from '../model';
import { LOSS, smoothedRecords } from '../quantities';
import type { DrawnUi } from '../views';

/** The point of a loss curve that is nearest in x, of the run nearest in y. */
export function pointAt(
  runs: readonly RunData[],
  { axis, weight }: DrawnUi,
  x: number,
  y: number,
): Point | undefined {
  let found: (Point & { distance: number }) | undefined;
  for (const run of runs.filter((r) => r.records > 0)) {
    const index = nearest(run.x(axis), x);
    const loss = weight > 0 ? smoothedRecords(LOSS, run, weight) : run.column('loss');
    const distance = Math.abs(loss[index] - y);
    if (!found || distance < found.distance) found = { run, index, distance };
  }
  return found && { run: found.run, index: found.index };
}
