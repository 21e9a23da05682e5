import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import {
  numberErrors,
  valueBins,
  type NumberAnswers,
  type NumberColumns,
  type NumberError,
  type ValueBin,
} from '../../src/protocol/answers/number';
import { binOf, FEW } from '../../src/protocol/answers/slices';
import type { ExampleCells, ShowAnswers } from './answer-part';
import { plotOf, scatter } from './number-scatter';
import { sliceTable, type Measures, type SliceRow } from './slice-table';

/** Digits of the range of the true numbers that are shown. */
const DIGITS = 4;

/** A number for each text: how far off it is, by its true value and by length. */
export const numberAnswers: ShowAnswers<NumberAnswers> = (model, { labels: [name], columns }) => {
  const { bins, examples, texts } = model;
  const { value: truth, predicted, tokens, loss } = columns;
  const format = formatFor(truth);
  const errors = predicted.map((p, i) => p - truth[i]);
  const byLength = numberErrors(columns, bins.length, (i) => binOf(bins, tokens[i]));
  const values = valueBins(truth);
  const byValue = numberErrors(columns, values.length, (i) => binOf(values, truth[i]));
  const plot = plotOf(columns);
  const summary = told(errors, format);
  return ({ ui: { value } }, act) => {
    const bin = value === undefined ? undefined : values[value];
    const measures = errorMeasures(byValue, format);
    const rows = values.map((b, i): SliceRow => ({
      name: binName(b, format),
      count: byValue[i].count,
      measure: measures.rows[i],
      chosen: i === value,
      choose: () => (i === value ? act.choose({ value: undefined }) : act.filter({ value: i })),
    }));
    return {
      told: summary,
      wide: scatter(model, columns, name, plot, format.plain),
      table: sliceTable('values', t('By true number'), name, measures, rows, nothing),
      lengths: errorMeasures(byLength, format),
      orders: { loss: t('Largest error first') },
      stored: t(
        'Of {0} texts, the {1} with the largest errors are stored with the predictions.',
        count(examples),
        count(texts.size),
      ),
      ...(bin && { suits: (example: number) => truth[example] >= bin.from && truth[example] <= bin.to }),
      chips: bin ? [{ text: t('{0}: {1}', name, binName(bin, format)), change: { value: undefined } }] : [],
      examples: numberCells(columns, errors, format),
      csv: {
        names: ['true', 'predicted', 'error', 'loss'],
        cells: (i) => [truth[i], predicted[i], errors[i], loss[i]],
      },
    };
  };
};

const binName = ({ from, to }: ValueBin, { short }: NumberFormat): string =>
  from === to ? short(from) : t('{0} to {1}', short(from), short(to));

function told(errors: Float64Array, format: NumberFormat): string {
  const byMagnitude = errors.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  return t(
    'Half of the {0} predicted numbers are off by {1} or less. The mean error is {2}, the largest {3}.',
    count(errors.length),
    format.plain(Math.abs(byMagnitude[Math.ceil(errors.length / 2) - 1])),
    format.signed(errors.reduce((sum, e) => sum + e, 0) / errors.length),
    format.signed(byMagnitude.at(-1)!),
  );
}

/** The size of the errors, and their direction. */
function errorMeasures(errors: readonly NumberError[], format: NumberFormat): Measures {
  const worst = Math.max(...errors.map((e) => e.rmse));
  return {
    heads: [t('RMSE'), t('Mean error')],
    long: 'bad',
    few: t('With fewer than {0} texts, differences between these errors may be due to chance.', FEW),
    rows: errors.map(({ rmse, bias }) => ({
      value: format.plain(rmse),
      bar: worst === 0 ? 0 : rmse / worst,
      other: format.signed(bias),
    })),
  };
}

/** The true and the predicted number, and by how much it is too high. */
const numberCells = (c: NumberColumns, errors: Float64Array, format: NumberFormat): ExampleCells => ({
  heads: html`<th role="columnheader" class="number">${t('True')}</th>
    <th role="columnheader" class="number">${t('Predicted')}</th>
    <th role="columnheader" class="number">${t('Error')}</th>`,
  cells: (example) =>
    html`<td role="cell" class="number">
        <span class="narrow">${t('true')} </span>${format.plain(c.value[example])}
      </td>
      <td role="cell" class="number">
        <span class="narrow">${t('predicted')} </span>${format.plain(c.predicted[example])}
      </td>
      <td role="cell" class="number">
        <span class="narrow">${t('error')} </span>${format.signed(errors[example])}
      </td>`,
});

interface NumberFormat {
  plain(value: number): string;
  /** Without zeros at its end. */
  short(value: number): string;
  /** With its sign. */
  signed(value: number): string;
}

/** With the same decimals for all numbers, so that they can be compared in a column. */
function formatFor(values: Float64Array): NumberFormat {
  const range = values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
  const whole = Math.floor(Math.log10(range || 1)) + 1;
  const digits = Math.min(Math.max(DIGITS - whole, 0), 12);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return {
    plain: (value) => value.toLocaleString('en-US', { ...options, signDisplay: 'negative' }),
    short: (value) =>
      value.toLocaleString('en-US', { maximumFractionDigits: digits, signDisplay: 'negative' }),
    signed: (value) => value.toLocaleString('en-US', { ...options, signDisplay: 'exceptZero' }),
  };
}
