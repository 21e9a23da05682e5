import type { Shares } from '../answers';
import { labelsOf, type Column } from '../columns';

/** Hundredths of probability that do not count as a difference. */
const SAME = 0.05;

/** Indices of labels, most likely first. */
export const ranked = ({ probabilities }: Pick<Shares, 'probabilities'>): number[] =>
  [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);

/** A column's probabilities; undefined if it has no answer yet, or answers otherwise. */
export function sharesOf({ answer }: Column): Shares | undefined {
  const { prediction } = answer ?? {};
  return prediction?.probabilities ? prediction : undefined;
}

/** A column's probability of a label, by name; undefined if it has no such label, or no answer. */
export function chanceOf(column: Column, label: string): number | undefined {
  const i = labelsOf(column).indexOf(label);
  return i < 0 ? undefined : sharesOf(column)?.probabilities[i];
}

/** In hundredths, with an arrow, so that color is not needed to distinguish more from less. */
export function difference(share: number, before: number | undefined): string {
  if (before === undefined) return '–';
  const points = 100 * (share - before);
  if (Math.abs(points) < SAME) return '=';
  return `${points > 0 ? '▲' : '▼'} ${Math.abs(points).toFixed(1)}`;
}
