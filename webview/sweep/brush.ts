import type { Axis } from '../../src/study/sweep/axis';

export type Range = readonly [low: number, high: number];

/** A drag shorter than this, in shares of the axis, removes the range. */
const LEAST = 0.015;

/** The range between two points of an axis; undefined if they are the same. */
export function dragged(from: number, to: number): Range | undefined {
  const inside = (v: number) => Math.min(1, Math.max(0, v));
  const [low, high] = from < to ? [inside(from), inside(to)] : [inside(to), inside(from)];
  return high - low < LEAST ? undefined : [low, high];
}

/**
 * The range after a key: arrows move it, with Shift they move its upper end, Home and End take it to an end, and Escape or
 * Delete remove it. 'other' for any other key.
 */
export function brushKey(
  { key, shiftKey }: Pick<KeyboardEvent, 'key' | 'shiftKey'>,
  range: Range | undefined,
  axis: Axis,
): Range | undefined | 'other' {
  const step = axis.kind === 'category' && axis.values.length > 1 ? 1 / (axis.values.length - 1) : 0.05;
  const up = key === 'ArrowUp' || key === 'ArrowRight';
  const down = key === 'ArrowDown' || key === 'ArrowLeft';
  if (key === 'Escape' || key === 'Delete' || key === 'Backspace') return undefined;
  if (!up && !down && key !== 'Home' && key !== 'End') return 'other';
  // The first key takes the upper or the lower half.
  const [low, high] = range ?? (up || key === 'End' ? [0.5, 1] : [0, 0.5]);
  if (!range) return [low, high];
  if (key === 'Home') return [0, high - low];
  if (key === 'End') return [1 - (high - low), 1];
  const by = up ? step : -step;
  if (shiftKey) return [low, Math.min(1, Math.max(low, high + by))];
  const moved = Math.min(1 - high, Math.max(-low, by));
  return [low + moved, high + moved];
}

/** The values within a range, in words: "0.001 to 0.01", "lora, vera". */
export function rangeText(axis: Axis, [low, high]: Range): string {
  const inside = axis.values.filter((v) => {
    const at = axis.at(v);
    return at !== undefined && at >= low - 1e-6 && at <= high + 1e-6;
  });
  if (inside.length === 0) return '–';
  const texts = inside.map((v) => axis.text(v));
  if (axis.kind === 'category') return texts.join(', ');
  return texts.length === 1 ? texts[0] : `${texts[0]} – ${texts.at(-1)!}`;
}
