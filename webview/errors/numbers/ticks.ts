/** Number of ticks, roughly. */
const TICKS = 6;

export interface Tick {
  value: number;
  label: string;
}

/** Round numbers from `low` to `high`, with the same step between them. */
export function ticksWithin(low: number, high: number): Tick[] {
  const step = roundStep((high - low) / TICKS);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step))), 20);
  return Array.from({ length: last - first + 1 }, (_, k) => {
    const value = (first + k) * step;
    const label = value.toLocaleString('en-US', { maximumFractionDigits: digits, signDisplay: 'negative' });
    return { value, label };
  });
}

/** The next larger one of 1, 2 and 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((f) => f * power >= least)!;
  return factor * power;
}
