/** The most checkpoints that a run keeps spread over its steps, for inspection and forks. */
const SPREAD = 20;

/**
 * The checkpoints that a run keeps once that of step `newest` is written: the newest two, in case one is damaged; up to
 * twenty spread evenly over its steps; and for each of these the best one up to it, so that a fork knows its best
 * adapter so far. Those after `newest` belong to steps that a resume has discarded.
 *
 * Beyond twenty, the steps are cut into cells of a power of two, and each cell keeps its first. When the run
 * outgrows twenty cells their width doubles, which drops about every other one.
 *
 * @param steps  of all existing checkpoints, ascending
 * @param bestOf the step of the best evaluation as of a checkpoint, if it had any
 */
export function checkpointsToKeep(
  steps: readonly number[],
  newest: number,
  bestOf: (step: number) => number | undefined,
): Set<number> {
  const past = steps.filter((step) => step <= newest);
  const keep = new Set(past.length > SPREAD ? [...firstOfCells(past, newest), ...past.slice(-2)] : past);
  for (const step of [...keep]) {
    const best = bestOf(step);
    if (best !== undefined) keep.add(best);
  }
  return keep;
}

function firstOfCells(steps: readonly number[], newest: number): number[] {
  let width = 1;
  while (Math.floor(newest / width) >= SPREAD) width *= 2;
  const firsts = new Map<number, number>();
  for (const step of steps) {
    const cell = Math.floor(step / width);
    if (!firsts.has(cell)) firsts.set(cell, step);
  }
  return [...firsts.values()];
}
