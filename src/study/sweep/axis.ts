import { settingText, shortKeys } from '../../experiment/sweep';
import { own } from '../../base/names';
import { numberText } from '../../base/number-text';

/** The layout of a setting's values, or of the metric's, from 0 to 1. */
export interface Axis {
  /** The dotted key. */
  key: string;
  label: string;
  kind: 'linear' | 'log' | 'category';
  /** Distinct values in ascending order, categories in order of appearance. */
  values: (number | string)[];
  /** The position of a value, from 0 to 1; undefined if it is missing. */
  at(value: unknown): number | undefined;
  /** Values to label. */
  ticks: { at: number; label: string }[];
  text(value: unknown): string;
}

/** With more categories, not all are labeled. */
const MOST_LABELS = 16;
/** Values that span this factor are laid out logarithmically, however many there are. */
const WIDE = 100;

/**
 * The axis of a setting: by category unless all its values are numbers; logarithmic if it was drawn that way, or if its
 * values are spaced rather by factors than by differences.
 */
export function settingAxis(
  key: string,
  label: string,
  values: readonly unknown[],
  logarithmic = false,
): Axis {
  const known = values.filter((v) => v !== undefined);
  if (known.length === 0 || !known.every((v) => Number.isFinite(v))) return categories(key, label, known);
  const numbers = [...new Set(known as number[])].sort((a, b) => a - b);
  const isLog = numbers[0] > 0 && (logarithmic || byFactors(numbers));
  return numeric(key, label, numbers, isLog, numbers.length <= MOST_LABELS ? numbers : undefined);
}

/** An axis of measured numbers, which are not labeled themselves. */
export const numberAxis = (key: string, label: string, values: readonly number[], text = numberText): Axis =>
  numeric(
    key,
    label,
    [...new Set(values)].sort((a, b) => a - b),
    false,
    undefined,
    text,
  );

/** The axes of all settings that vary, labeled as shortly as they differ. */
export function settingAxes(
  varied: readonly string[],
  logarithmic: readonly string[],
  trials: readonly { settings: Record<string, unknown> }[],
): Axis[] {
  const names = shortKeys(varied);
  return varied.map((key) =>
    settingAxis(
      key,
      names.get(key)!,
      trials.map((t) => own(t.settings, key)),
      logarithmic.includes(key),
    ),
  );
}

function byFactors(sorted: readonly number[]): boolean {
  const ratio = sorted.at(-1)! / sorted[0];
  if (ratio >= WIDE) return true;
  if (sorted.length < 3 || ratio < 4) return false;
  const spread = (steps: number[]) => Math.max(...steps) / Math.min(...steps);
  const after = sorted.slice(1);
  return spread(after.map((v, i) => Math.log(v / sorted[i]))) < spread(after.map((v, i) => v - sorted[i]));
}

function numeric(
  key: string,
  label: string,
  values: number[],
  isLog: boolean,
  labeled: readonly number[] | undefined,
  text: (value: number) => string = (value) => settingText(key, value),
): Axis {
  const scale = isLog ? Math.log10 : (v: number) => v;
  const [low, high] = values.length > 0 ? [scale(values[0]), scale(values.at(-1)!)] : [0, 1];
  // Rounded, so that an end is exactly 0 or 1.
  const at = (v: number) => (high > low ? (scale(v) - low) / (high - low) : 0.5);
  const shown = labeled ?? (values.length < 2 ? values : isLog ? decades(values) : rounds(values));
  return {
    key,
    label,
    kind: isLog ? 'log' : 'linear',
    values,
    at: (value) => (typeof value === 'number' && Number.isFinite(value) ? at(value) : undefined),
    ticks: shown.map((v) => ({ at: at(v), label: text(v) })),
    text: (value) => (typeof value === 'number' ? text(value) : '–'),
  };
}

function categories(key: string, label: string, known: readonly unknown[]): Axis {
  const values = [...new Set(known.map((value) => settingText(key, value)))];
  const places = new Map(values.map((v, i) => [v, values.length > 1 ? i / (values.length - 1) : 0.5]));
  const every = Math.ceil(values.length / MOST_LABELS);
  return {
    key,
    label,
    kind: 'category',
    values,
    at: (value) => (value === undefined ? undefined : places.get(settingText(key, value))),
    ticks: values.filter((_, i) => i % every === 0).map((v) => ({ at: places.get(v)!, label: v })),
    text: (value) => (value === undefined ? '–' : settingText(key, value)),
  };
}

/** The ends, and the powers of ten between them. */
function decades(values: readonly number[]): number[] {
  const [low, high] = [values[0], values.at(-1)!];
  const found: number[] = [];
  for (let e = Math.ceil(Math.log10(low)); e <= Math.floor(Math.log10(high)); e++)
    found.push(Number(`1e${e}`));
  const isApart = (v: number, end: number) => Math.abs(Math.log10(v / end)) > 0.15;
  return [low, ...found.filter((v) => isApart(v, low) && isApart(v, high)), high];
}

/** The ends, and four round values at most between them. */
function rounds(values: readonly number[]): number[] {
  const [low, high] = [values[0], values.at(-1)!];
  const rough = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough)!;
  const found: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(12)));
  const isApart = (v: number, end: number) => Math.abs(v - end) > 0.4 * step;
  return [low, ...found.filter((v) => isApart(v, low) && isApart(v, high)), high];
}
