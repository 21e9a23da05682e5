/** Maps values to pixels, and lists the ticks of the axis. */
export interface Scale {
  at: (value: number) => number;
  marks: number[];
  /** The label of a tick. */
  text: (value: number) => string;
}

export type Range = readonly [least: number, most: number];

/**
 * A linear axis over all values with some margin, and round ticks.
 *
 * @param zero true if it must include 0
 * @param within the limits of the axis; a value beyond, such as an interval's end, is drawn at its end
 */
export function linear(
  values: readonly number[],
  from: number,
  to: number,
  { zero = false, within = [-Infinity, Infinity] }: { zero?: boolean; within?: Range } = {},
): Scale {
  const [least, most] = within;
  const inside = (v: number) => Math.min(most, Math.max(least, v));
  const given = values.filter(Number.isFinite).map(inside);
  let low = Math.min(...given, ...(zero ? [0] : []));
  let high = Math.max(...given, ...(zero ? [0] : []));
  if (!(high > low)) [low, high] = [low - 1, (Number.isFinite(high) ? high : 0) + 1];
  const room = 0.06 * (high - low);
  if (!zero || low < 0) low -= room;
  if (!zero || high > 0) high += room;
  [low, high] = [Math.max(least, low), Math.min(most, high)];
  const step = roundStep((high - low) / Math.max(3, Math.floor(Math.abs(to - from) / 48)));
  const digits = digitsOf(step);
  const marks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) marks.push(i * step);
  return {
    at: (v) => from + ((inside(v) - low) / (high - low)) * (to - from),
    marks,
    text: (v) =>
      v
        .toFixed(digits)
        .replace(/^-(?=0\.?0*$)/, '')
        .replace('-', '−'),
  };
}

/** Enough decimals to distinguish adjacent ticks: a step of 0.25 has two. */
function digitsOf(step: number): number {
  let digits = 0;
  while (digits < 8 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits++;
  return digits;
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5].find((s) => s * power >= rough * (1 - 1e-9)) ?? 10);
}

/** A logarithmic axis of counts; 0 has its own place on the left. */
export function logarithmic(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((v) => v > 0);
  const hasZero = positive.length < values.length;
  const start = hasZero ? from + 36 : from;
  const low = Math.log10(Math.min(...positive)) - 0.12;
  const high = Math.log10(Math.max(...positive)) + 0.12;
  const marks: number[] = [];
  for (let p = Math.floor(low); p <= high; p++)
    for (const f of high - low > 2 ? [1] : [1, 2, 5]) {
      const at = Math.log10(f) + p;
      if (at >= low && at <= high) marks.push(f * 10 ** p);
    }
  if (marks.length < 2 && positive.length > 0) marks.splice(0, 1, ...ends(positive, start, to));
  return {
    at: (v) => (v <= 0 ? from + 8 : start + ((Math.log10(v) - low) / (high - low)) * (to - start)),
    marks: hasZero ? [0, ...marks] : marks,
    text: short,
  };
}

/** Without round numbers in range: the minimum and the maximum, or just one of them if their labels would overlap. */
function ends(values: readonly number[], from: number, to: number): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = Math.log10(high / low) / (Math.log10(high / low) + 0.24);
  return share * (to - from) < 60 ? [high] : [low, high];
}

/** 6,000 as 6K. */
export function short(n: number): string {
  if (n >= 1e9) return `${round(n / 1e9)}B`;
  if (n >= 1e6) return `${round(n / 1e6)}M`;
  return n >= 1000 ? `${round(n / 1000)}K` : String(n);
}

const round = (n: number): string => String(Number(n.toPrecision(3)));
