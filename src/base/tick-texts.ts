import { count, LARGE, SMALL, withExponent } from './number-text';

const MOST_DECIMALS = 9;
const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/**
 * The labels of an axis: all with equally many decimals, and no more than it takes to distinguish neighbors.
 *
 * @param ticks ascending, evenly spaced
 * @param scale each is multiplied by this first, such as 100 for a percentage
 * @param small with no larger one than this, they have exponents
 */
export function tickTexts(ticks: readonly number[], { scale = 1, unit = '', small = SMALL } = {}): string[] {
  const values = ticks.map((v) => v * scale);
  const largest = Math.max(0, ...values.map(Math.abs));
  const gap = values.length > 1 ? Math.abs(values[1] - values[0]) : largest;
  if (largest >= LARGE || (largest > 0 && largest < small)) {
    const decimals = decimalsOf(gap / 10 ** Math.floor(Math.log10(largest)));
    return values.map((v) => (v === 0 ? `0${unit}` : `${withExponent(v, decimals)}${unit}`));
  }
  const decimals = decimalsOf(gap);
  return values.map((v) => `${v === 0 ? '0' : grouped(v, decimals)}${unit}`);
}

/** Decimals without which a gap would look like another. */
function decimalsOf(gap: number): number {
  for (let d = 0; d < MOST_DECIMALS; d++) if (Math.abs(gap - Number(gap.toFixed(d))) < gap * 1e-6) return d;
  return MOST_DECIMALS;
}

function grouped(value: number, decimals: number): string {
  const [whole, rest] = value.toFixed(decimals).split('.');
  const text = Math.abs(value) >= 1000 ? count(Number(whole)) : whole;
  return rest === undefined ? text : `${text}.${rest}`;
}

/** In the unit of the largest one: 0, 0.5 GB, 1.0 GB. */
export function byteTickTexts(ticks: readonly number[]): string[] {
  const largest = Math.max(...ticks.map(Math.abs));
  let power = 0;
  while (power < BYTE_UNITS.length - 1 && largest >= 1000 ** (power + 1)) power++;
  return tickTexts(ticks, { scale: 1 / 1000 ** power, unit: ` ${BYTE_UNITS[power]}` });
}

/** Distances between ticks that are whole numbers: 1, 2, 5, 10, 20 … */
export const WHOLE_INCREMENTS: number[] = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((n) => n * 10 ** power),
).flat();

/**
 * Ticks of an axis for a picture of a chart: multiples of the smallest distance that leaves no more than `most` of them.
 *
 * @param increments to choose from; 1, 2 or 5 times a power of ten by default
 */
export function ticksOf(min: number, max: number, most: number, increments?: readonly number[]): number[] {
  const least = (max - min) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  const distance =
    increments?.find((d) => d >= least) ??
    [1, 2, 5, 10].map((n) => n * power).find((d) => d >= least * 0.999)!;
  const first = Math.ceil(min / distance - 1e-9);
  const last = Math.floor(max / distance + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
    Number(((first + i) * distance).toPrecision(12)),
  );
}

/** Powers of ten within a range, with their multiples by 2 and 5 if there are few. */
export function logTicksOf(min: number, max: number): number[] {
  const [from, to] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const factors = to - from <= 3 ? [1, 2, 5] : [1];
  return Array.from({ length: to - from + 1 }, (_, i) => factors.map((f) => f * 10 ** (from + i)))
    .flat()
    .map((v) => Number(v.toPrecision(12)))
    .filter((v) => v >= min && v <= max);
}
