import { t } from '../../base/l10n';
import { numberText } from '../../base/number-text';
import { columnTitle } from '../../protocol/reports/report';
import { type Figure, fitted, line, linear, lyingWhisker, type Shape, text } from '../figures/figure';
import { differenceUnit, factorOf } from '../metric';
import type { Look } from './certificate';
import { lookTable, type NamedClaim } from './claim-report';
import { intervalText, sideLabels } from './claim-words';
import { findingWords } from './finding-words';
import { marginOf } from './verdict';

const [LEFT, RIGHT, TOP, ROW, BOTTOM] = [12, 12, 26, 44, 40];

/**
 * The difference from each opponent with its one-sided bounds, a row for each look, between the differences that decide: a
 * claim holds if the lower bound is right of the left line, and does not if the upper bound is left of the right one.
 *
 * @returns undefined without a look that has results
 */
export function looksFigure(named: NamedClaim, looks: readonly Look[], width: number): Figure | undefined {
  const { claim } = named.frozen;
  const { metric, by } = claim;
  const labels = sideLabels(
    claim,
    named.methods.map(({ label }) => label),
  ).slice(1);
  const rows = looks.flatMap(({ seeds, results }) =>
    results.map((result, i) => ({ seeds, result, label: labels[i] })),
  );
  if (rows.length === 0) return undefined;
  const factor = factorOf(metric);
  const claimed = marginOf(claim);
  const lines = [claimed, claimed + by].map((value) => factor * value);
  const x = linear(
    [...lines, ...rows.flatMap(({ result: { lower, upper } }) => [factor * lower, factor * upper])],
    LEFT,
    width - RIGHT,
    { zero: true },
  );
  const bottom = TOP + rows.length * ROW;
  const room = width - LEFT - RIGHT;
  const marks = lines.flatMap((value): Shape[] => [
    // Not through the labels.
    ...rows.map((_row, i) =>
      line(x.at(value), yOf(i) - 11, x.at(value), yOf(i) + 13, value === 0 ? 'axis' : 'axis dash-2'),
    ),
    text(x.at(value), TOP - 12, signed(value), 'middle'),
  ]);
  const drawn = rows.flatMap(({ seeds, result, label }, i): Shape[] => {
    const y = yOf(i);
    const words = t('{0}, {1} seeds: {2}', label, seeds, findingWords(result.finding));
    return [
      text(LEFT, y - 14, fitted(words, room), 'start', 'label'),
      ...lyingWhisker(y, x.at(factor * result.lower), x.at(factor * result.upper)),
      { kind: 'circle', x: x.at(factor * result.difference), y, r: 4.5, class: 'dot series-0' },
    ];
  });
  const { columns, rows: cells } = lookTable(named, looks);
  return {
    width,
    height: bottom + BOTTOM,
    title: t('Differences with their bounds'),
    summary: rows
      .map(({ seeds, result, label }) => {
        const [difference, lower, upper] = intervalText(metric, result);
        return t('{0}, {1} seeds: {2}, from {3} to {4}.', label, seeds, difference, lower, upper);
      })
      .join(' '),
    shapes: [
      line(LEFT, bottom, width - RIGHT, bottom, 'axis'),
      ...x.marks.flatMap((v) => [
        line(x.at(v), bottom, x.at(v), bottom + 4, 'axis'),
        text(x.at(v), bottom + 17, x.text(v), 'middle'),
      ]),
      text(width / 2, bottom + 33, t('difference, {0}', differenceUnit(metric)), 'middle'),
      ...marks,
      ...drawn,
    ],
    table: { head: columns.map(columnTitle), rows: cells },
  };
}

/** The middle of a row's bounds. */
const yOf = (row: number): number => TOP + row * ROW + 30;

/** The axis names its unit. */
const signed = (value: number): string => {
  const size = numberText(Number(Math.abs(value).toPrecision(3)));
  return value === 0 ? '0' : value > 0 ? `+${size}` : `−${size}`;
};
