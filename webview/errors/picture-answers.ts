import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import { formatMetric } from '../../src/experiment/metrics';
import {
  lossByImage,
  lossByTimestep,
  type PictureAnswers,
  type PictureColumns,
  type PictureLoss,
} from '../../src/protocol/answers/picture';
import { FEW } from '../../src/protocol/answers/slices';
import type { ExampleCells, ShowAnswers } from './answer-part';
import type { Model } from './errors-model';
import { sliceTable, type Measures, type SliceRow } from './slice-table';

/** Images in the table; of more, those with the largest loss. */
const MOST_IMAGES = 20;

/** Images with noise that is to be predicted: how well, by how much there is of it and by image. */
export const pictureAnswers: ShowAnswers<PictureAnswers> = (model, { columns }) => {
  const { examples, texts } = model;
  const byTimestep = lossByTimestep(columns);
  const byImage = lossByImage(columns);
  // The filter by label stands for that by image.
  return ({ ui: { value, label } }, act) => {
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
            (s) => nameOf(model, columns, s),
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
        ...(image ? [{ text: nameOf(model, columns, image), change: { label: undefined } }] : []),
      ],
      examples: pictureCells(columns),
      csv: { names: ['timestep', 'loss'], cells: (i) => [columns.timestep[i], columns.loss[i]] },
    };
  };
};

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

/** The stored name of an image, otherwise its line. */
function nameOf({ texts }: Model, columns: PictureColumns, { key }: PictureLoss): string {
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

/** The loss in an image with noise. */
const pictureCells = (c: PictureColumns): ExampleCells => ({
  heads: html`<th role="columnheader" class="number">${t('Timestep')}</th>
    <th role="columnheader" class="number">${t('Loss')}</th>`,
  cells: (example) =>
    html`<td role="cell" class="number">
        <span class="narrow">${t('timestep')} </span>${count(c.timestep[example])}
      </td>
      <td role="cell" class="number">
        <span class="narrow">${t('loss')} </span>${formatMetric('loss', c.loss[example])}
      </td>`,
});
