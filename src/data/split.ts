import { AuroraError } from '../base/errors';
import { permutation, Stream } from '../base/random';
import { distinctLabels } from './labels';
import { pick, type List } from './list';
import { markedOf, type Row } from './table/rows';

/**
 * The number of rows of each label to hold out: shares by the largest remainder, so that the total is right to one row,
 * and every label keeps a row to train on.
 */
function quotas(counts: readonly number[], fraction: number): number[] {
  const total = Math.max(1, Math.round(counts.reduce((a, b) => a + b, 0) * fraction));
  const exact = counts.map((n) => n * fraction);
  const held = exact.map((x, i) => Math.min(Math.floor(x), counts[i]! - 1));
  const byRemainder = exact
    .map((x, i) => ({ i, remainder: x - Math.floor(x) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  let left = total - held.reduce((a, b) => a + b, 0);
  for (const { i } of byRemainder)
    if (left > 0 && held[i]! < counts[i]! - 1) {
      held[i]!++;
      left--;
    }
  return held;
}

/**
 * Holds out a share of the rows for validation, stratum by stratum, the same for the same seed. Both sides
 * keep the order of the file and are never empty. Throws a data error if no stratum has two rows.
 */
export function splitRows<R extends Row, L extends List<R>>(
  path: string,
  rows: L & List<R>,
  fraction: number,
  seed: number,
  stratumOf: (row: R) => string = ({ label }) => label,
): { train: L; validation: L } {
  if (!(fraction > 0 && fraction < 1))
    throw new AuroraError(
      'experiment',
      `data.validationFraction is ${fraction}; it must lie between 0 and 1.`,
    );
  const groups = groupsOf(markedOf<R>(rows), stratumOf);
  if (groups.every((g) => g.length < 2))
    throw new AuroraError(
      'data',
      rows.length === 1
        ? `${path} has only one row, so none can be held out for validation.`
        : `${path}: no label has two rows, so none can be held out for validation.`,
      'Name a validation file in data.validation.',
    );
  const counts = quotas(
    groups.map((g) => g.length),
    fraction,
  );
  const heldOut = new Uint8Array(rows.length);
  groups.forEach((group, label) => {
    const order = permutation(group.length, seed, Stream.split, label);
    for (const i of order.slice(0, counts[label])) heldOut[group[i]!] = 1;
  });
  const side = (held: 0 | 1): L => {
    const places: number[] = [];
    heldOut.forEach((is, place) => void (is === held && places.push(place)));
    return pick(rows, places);
  };
  return { train: side(0), validation: side(1) };
}

/** The places of the rows of each stratum, in the order of their names. */
function groupsOf<R>(rows: Iterable<R>, stratumOf: (row: R) => string): number[][] {
  const groups = new Map<string, number[]>();
  let place = 0;
  for (const row of rows) {
    const stratum = stratumOf(row);
    const group = groups.get(stratum);
    if (group) group.push(place);
    else groups.set(stratum, [place]);
    place++;
  }
  return distinctLabels(groups.keys()).map((stratum) => groups.get(stratum)!);
}
