import { nothing } from 'lit';
import { FEW } from '../../../src/protocol/errors-view/slices';
import type { NumberError, ValueBin } from '../../../src/protocol/errors-view/number-errors';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { Measures } from '../measures';
import type { NumberModel } from '../model';
import type { AnswerPart, PartActions, PartState } from '../part';
import { sliceTable, type SliceRow } from '../slices';
import { numberCells } from './cells';
import { numberCsv } from './examples-csv';
import type { NumberFormat } from './format';
import { scatter } from './scatter';

/** A number for each text: how far off it is, by its true value and by length. */
export function numberPart(model: NumberModel, { ui }: PartState, act: PartActions): AnswerPart {
  const { values, byValue, columns, examples, texts } = model;
  const { value } = ui;
  const bin = value === undefined ? undefined : values[value];
  const measures = errorMeasures(byValue, model.format);
  const rows = values.map((b, i): SliceRow => ({
    name: binName(b, model.format),
    count: byValue[i].count,
    measure: measures.rows[i],
    chosen: i === value,
    choose: () => (i === value ? act.choose({ value: undefined }) : act.filter({ value: i })),
  }));
  return {
    told: told(model),
    worst: nothing,
    wide: scatter(model),
    table: sliceTable('values', t('By true number'), model.name, measures, rows, nothing),
    lengths: errorMeasures(model.errorsByLength, model.format),
    orders: { loss: t('Largest error first') },
    stored: t(
      'Of {0} texts, the {1} with the largest errors are stored with the predictions.',
      count(examples),
      count(texts.size),
    ),
    ...(bin && {
      suits: (example: number) => columns.value[example] >= bin.from && columns.value[example] <= bin.to,
    }),
    chips: bin
      ? [{ text: t('{0}: {1}', model.name, binName(bin, model.format)), change: { value: undefined } }]
      : [],
    examples: numberCells(model),
    csv: (rows) => numberCsv(model, rows),
  };
}

const binName = ({ from, to }: ValueBin, { short }: NumberFormat): string =>
  from === to ? short(from) : t('{0} to {1}', short(from), short(to));

const told = ({ examples, half, mean, largest, format }: NumberModel): string =>
  t(
    'Half of the {0} predicted numbers are off by {1} or less. The mean error is {2}, the largest {3}.',
    count(examples),
    format.plain(half),
    format.signed(mean),
    format.signed(largest),
  );

/** How far off, and in which direction. */
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
