import { html, nothing, svg, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import type { Prediction } from '../../src/protocol/playground';
import {
  labelsOf,
  measuredText,
  nameOf,
  otherOf,
  type AnswerKind,
  type Below,
  type CardContext,
  type Column,
} from './answer-kind';

/** Hundredths of probability that do not count as a difference. */
const SAME = 0.05;
/** Labels shown by default. */
export const FEW_LABELS = 5;

/** A prediction by the probability of each label or choice. */
export type Shares = Extract<Prediction, { probabilities: number[] }>;

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
function difference(share: number, before: number | undefined): string {
  if (before === undefined) return '–';
  const points = 100 * (share - before);
  if (Math.abs(points) < SAME) return '=';
  return `${points > 0 ? '▲' : '▼'} ${Math.abs(points).toFixed(1)}`;
}

/**
 * The probabilities of labels, beside those of the first column.
 *
 * @param shown labels, in order
 * @param name a label with its marks
 * @param threshold above which a label is predicted, if each is predicted on its own
 */
export function labelTable(
  column: Column,
  prediction: Shares,
  shown: readonly number[],
  context: CardContext,
  name: (label: number) => unknown,
  threshold?: number,
): TemplateResult {
  const { probabilities, choices } = prediction;
  const labels = labelsOf(column);
  const other = otherOf(column, context);
  const rows = shown.map((i) => ({
    name: name(i),
    share: probabilities[i],
    ...(other && { before: chanceOf(other, labels[i]) }),
  }));
  return shareTable(rows, {
    name: t('Probabilities of {0}', nameOf(column)),
    item: choices ? t('Choice') : t('Label'),
    ...(other && { first: other.title }),
    several: context.several,
    threshold,
  });
}

interface ShareRow {
  name: unknown;
  /** Probability. */
  share: number;
  /** The first column's probability, if it has one. */
  before?: number | undefined;
}

interface ShareWords {
  /** Read to screen readers. */
  name: string;
  /** The heading of the rows. */
  item: string;
  /** The column that the others are compared with, in these. */
  first?: string;
  /** True if there is something to compare with the first. */
  several: boolean;
  threshold?: number | undefined;
}

/** Probabilities with bars, and their differences from those of the first column. */
export function shareTable(
  rows: readonly ShareRow[],
  { name, item, first, several, threshold }: ShareWords,
): TemplateResult {
  return html`<table>
    <caption class="visually-hidden">
      ${name}
    </caption>
    <colgroup>
      <col class="label" />
      <col />
      <col class="share" />
      ${several ? html`<col class="difference" />` : nothing}
    </colgroup>
    <thead class="visually-hidden">
      <tr>
        <th scope="col">${item}</th>
        <td></td>
        <th scope="col">${t('Probability')}</th>
        ${first === undefined ? nothing : html`<th scope="col">${t('Difference from {0} in points', first)}</th>`}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            <th scope="row">${row.name}</th>
            <td class="bar">${bar(row.share, threshold)}</td>
            <td class="number">${cautiousPercent(row.share)}</td>
            ${several ? html`<td class="number">${first === undefined ? nothing : difference(row.share, row.before)}</td>` : nothing}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const bar = (share: number, threshold: number | undefined): TemplateResult =>
  html`<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class="ground" width="100" height="10" /><rect class="share" width=${100 * share} height="10" />`}
    ${threshold === undefined ? nothing : svg`<line class="threshold" x1=${100 * threshold} y1="0" x2=${100 * threshold} y2="10" />`}
  </svg>`;

/** Explains the differences, with the button for the rest of the labels, or choices. */
export function sharesBelow(answers: readonly Column[]): Below {
  const labels = Math.max(...answers.map((c) => sharesOf(c)?.probabilities.length ?? 0));
  const ofChoices = answers.some((c) => sharesOf(c)?.choices);
  return {
    compared: t(
      '▲ and ▼: difference from {0} in percentage points. Times include only the model.',
      answers[0].title,
    ),
    ...(labels > FEW_LABELS && {
      all: ofChoices ? t('Show All {0} Choices', labels) : t('Show All {0} Labels', labels),
      few: t('Show the Top {0}', FEW_LABELS),
    }),
  };
}

/** The labels with their probabilities, most likely first. */
export const sharesText: AnswerKind['text'] = (column, all) => {
  const shares = sharesOf(column);
  if (!shares) return undefined;
  const labels = labelsOf(column);
  const lines = ranked(shares)
    .slice(0, all ? Infinity : FEW_LABELS)
    .map((i) => `${cautiousPercent(shares.probabilities[i])}\t${labels[i]}`);
  return measuredText(lines, shares);
};
