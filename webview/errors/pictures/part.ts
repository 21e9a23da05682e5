import { html, nothing } from 'lit';
import { count } from '../../../src/base/number-text';
import { formatMetric } from '../../../src/experiment/metrics';
import { FEW } from '../../../src/protocol/errors-view/slices';
import type { PictureLoss } from '../../../src/protocol/errors-view/picture-losses';
import { t } from '../../../src/base/l10n';
import type { Measures } from '../measures';
import type { PictureModel } from '../model';
import type { AnswerPart, PartActions, PartState } from '../part';
import { sliceTable, type SliceRow } from '../slices';
import { pictureCells } from './cells';
import { pictureCsv } from './examples-csv';

/** Images in the table; of more, those with the largest loss. */
const MOST_IMAGES = 20;

/** Images with noise that is to be predicted: how well, by how much there is of it and by image. */
export function picturePart(model: PictureModel, { ui }: PartState, act: PartActions): AnswerPart {
  const { byTimestep, byImage, columns, examples, texts } = model;
  // A filter by label is one by image here.
  const { value, label } = ui;
  const timestep = value === undefined ? undefined : byTimestep[value];
  const image = label === undefined ? undefined : byImage[label];
  const measures = lossMeasures(byTimestep);
  const worst = byImage.slice(0, MOST_IMAGES);
  return {
    told: t(
      'The noise in {0} images is predicted at {1} timesteps.',
      count(byImage.length),
      count(byTimestep.length),
    ),
    worst: nothing,
    wide: nothing,
    table: [
      sliceTable(
        'values',
        t('By timestep'),
        t('Timestep'),
        measures,
        rowsOf(
          byTimestep,
          measures,
          value,
          (s) => count(s.key),
          (i) => (i === value ? act.choose({ value: undefined }) : act.filter({ value: i })),
        ),
        nothing,
      ),
      sliceTable(
        'images',
        t('By image'),
        t('Image'),
        lossMeasures(worst),
        rowsOf(
          worst,
          lossMeasures(worst),
          label,
          (s) => nameOf(model, s),
          (i) => (i === label ? act.choose({ label: undefined }) : act.filter({ label: i })),
        ),
        worst.length < byImage.length
          ? html`<p class="note">
              ${t('The {0} images with the largest mean loss, of {1}.', worst.length, count(byImage.length))}
            </p>`
          : nothing,
      ),
    ],
    lengths: measures,
    orders: { loss: t('Largest loss first') },
    stored: t(
      'Of {0} noisy images, the {1} with the largest loss are stored with the predictions.',
      count(examples),
      count(texts.size),
    ),
    ...((timestep || image) && {
      suits: (example: number) =>
        (!timestep || columns.timestep[example] === timestep.key) &&
        (!image || columns.line[example] === image.key),
    }),
    chips: [
      ...(timestep ? [{ text: t('Timestep {0}', count(timestep.key)), change: { value: undefined } }] : []),
      ...(image ? [{ text: nameOf(model, image), change: { label: undefined } }] : []),
    ],
    examples: pictureCells(model),
    csv: (rows) => pictureCsv(model, rows),
  };
}

const rowsOf = (
  slices: readonly PictureLoss[],
  measures: Measures,
  chosen: number | undefined,
  name: (slice: PictureLoss) => string,
  choose: (index: number) => void,
): SliceRow[] =>
  slices.map((slice, i) => ({
    name: name(slice),
    count: slice.count,
    measure: measures.rows[i]!,
    chosen: i === chosen,
    choose: () => choose(i),
  }));

/** Of an image whose text is not stored, only its line is known. */
function nameOf({ columns, texts }: PictureModel, { key }: PictureLoss): string {
  const stored = [...texts.values()].find(({ example }) => columns.line[example] === key);
  return stored?.text ?? t('Line {0}', count(key));
}

function lossMeasures(slices: readonly PictureLoss[]): Measures {
  const worst = Math.max(...slices.map((s) => s.loss));
  return {
    heads: [t('Mean loss'), t('Of largest')],
    long: 'bad',
    few: t('With fewer than {0} noisy images, differences may be due to chance.', FEW),
    rows: slices.map(({ loss }) => ({
      value: formatMetric('loss', loss),
      bar: worst === 0 ? 0 : loss / worst,
      other: worst === 0 ? '–' : `${Math.round((100 * loss) / worst)}%`,
    })),
  };
}
