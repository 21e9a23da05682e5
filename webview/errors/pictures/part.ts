import { nothing } from 'lit';
import { count } from '../../../src/base/number-text';
import { formatMetric } from '../../../src/experiment/metrics';
import { FEW } from '../../../src/protocol/errors-view/slices';
import { t } from '../../ui/l10n';
import type { Measures } from '../measures';
import type { PictureModel } from '../model';
import type { AnswerPart, PartActions, PartState } from '../part';
import { sliceTable, type SliceRow } from '../slices';
import { pictureCells } from './cells';
import { pictureCsv } from './examples-csv';

/** Images with noise that is to be predicted: how well, by how much there is of it. */
export function picturePart(model: PictureModel, { ui }: PartState, act: PartActions): AnswerPart {
  const { byTimestep, byImage, columns, examples, texts } = model;
  const { value } = ui;
  const chosen = value === undefined ? undefined : byTimestep[value];
  const measures = lossMeasures(model);
  const rows = byTimestep.map((s, i): SliceRow => ({
    name: count(s.key),
    count: s.count,
    measure: measures.rows[i],
    chosen: i === value,
    choose: () => (i === value ? act.choose({ value: undefined }) : act.filter({ value: i })),
  }));
  return {
    told: t(
      'The noise in {0} images is predicted at {1} timesteps.',
      count(byImage.length),
      count(byTimestep.length),
    ),
    worst: nothing,
    wide: nothing,
    table: sliceTable('values', t('By timestep'), t('Timestep'), measures, rows, nothing),
    lengths: measures,
    orders: { loss: t('Largest loss first') },
    stored: t(
      'Of {0} noisy images, the {1} with the largest loss are stored with the predictions.',
      count(examples),
      count(texts.size),
    ),
    ...(chosen && { suits: (example: number) => columns.timestep[example] === chosen.key }),
    chips: chosen ? [{ text: t('Timestep {0}', count(chosen.key)), change: { value: undefined } }] : [],
    examples: pictureCells(model),
    csv: (rows) => pictureCsv(model, rows),
  };
}

function lossMeasures({ byTimestep }: PictureModel): Measures {
  const worst = Math.max(...byTimestep.map((s) => s.loss));
  return {
    heads: [t('Mean loss'), t('Share of the largest')],
    long: 'bad',
    few: t('With fewer than {0} images, differences may be due to chance.', FEW),
    rows: byTimestep.map(({ loss }) => ({
      value: formatMetric('loss', loss),
      bar: worst === 0 ? 0 : loss / worst,
      other: worst === 0 ? '–' : `${Math.round((100 * loss) / worst)}%`,
    })),
  };
}
