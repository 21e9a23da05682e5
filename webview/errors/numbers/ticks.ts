/** Number of intervals between ticks, roughly. */
const INTERVALS = 5;

/** Round numbers that enclose all values, with the same step between them; at least two. */
export function ticksAround(low: number, high: number): number[] {
  // Equal values get an axis around them.
  const [from, to] =
    low < high ? [low, high] : [low - (Math.abs(low) || 1) / 10, high + (Math.abs(low) || 1) / 10];
  const step = roundStep((to - from) / INTERVALS);
  const first = Math.floor(from / step);
  const last = Math.ceil(to / step);
  // Products of whole numbers do not drift as sums do.
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** The next larger one of 1, 2 and 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((f) => f * power >= least * (1 - 1e-9))!;
  return factor * power;
}
