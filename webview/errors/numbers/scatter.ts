import { html, svg } from 'lit';
import { rowNumber, rowWord } from '../../../src/protocol/row-place';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { NumberModel } from '../model';
import type { PlotCell, PlotPoint } from './plot';

/** Number of shades of cells; the lightest is visible. */
const SHADES = 6;

/** Predicted against true numbers, as points or, if there are many, as the density of points. */
export function scatter(model: NumberModel) {
  const { plot, name, examples } = model;
  const { ticks, points, cells, most } = plot;
  return html`<section class="numbers" aria-labelledby="scatter-title">
    <h2 id="scatter-title">${t('Predicted and true numbers')}</h2>
    <p class="note">
      ${t('Points on the dashed line are exact; points above it are predicted too high.')}
      ${
        cells.length > 0
          ? t('The shade is the number of texts in a square, up to {0}.', count(most))
          : t('Each point is a text.')
      }
    </p>
    <div class="plot">
      <span class="y-title" aria-hidden="true">${t('Predicted {0}', name)}</span>
      <svg
        class="scatter"
        role="img"
        aria-label=${t('{0} texts by true and predicted {1}; the tables list the same values.', count(examples), name)}
      >
        ${ticks.map((tick) => tickLines(tick.label, tick.at))} ${points.map((p) => point(model, p))}
        ${cells.map((c) => cell(c, most))}
        <line class="equal" x1="0" y1="100%" x2="100%" y2="0" />
        <rect class="frame" width="100%" height="100%" />
      </svg>
      <span class="x-title" aria-hidden="true">${t('True {0}', name)}</span>
    </div>
  </section>`;
}

/** Percentages, so that texts and points keep their size in a plot of any size. */
const percentage = (share: number): string => `${(100 * share).toFixed(2)}%`;

const tickLines = (label: string, share: number) => {
  const [x, y] = [percentage(share), percentage(1 - share)];
  return svg`<line class="grid" x1=${x} y1="0" x2=${x} y2="100%" /><line class="grid" x1="0" y1=${y} x2="100%" y2=${y} />
    <text class="x" x=${x} y="100%" dy="1.4em">${label}</text><text class="y" x="0" y=${y} dx="-0.6em" dy="0.35em">${label}</text>`;
};

const point = ({ columns: c, file, parts, format }: NumberModel, { example, x, y }: PlotPoint) =>
  svg`<circle class="point" r="3.5" cx=${percentage(x)} cy=${percentage(1 - y)}><title>${t(
    '{0} {1}: {2}, predicted as {3}',
    t(rowWord(file)),
    rowNumber(file, c.line[example], parts),
    format.plain(c.value[example]),
    format.plain(c.predicted[example]),
  )}</title></circle>`;

const cell = ({ x, y, size, count: texts }: PlotCell, most: number) => {
  // Square root: most squares have few texts, next to a few squares with many.
  const shade = Math.ceil(SHADES * Math.sqrt(texts / most));
  return svg`<rect class="cell shade-${shade}" x=${percentage(x)} y=${percentage(1 - y - size)} width=${percentage(size)} height=${percentage(size)}><title>${
    texts === 1 ? t('1 text') : t('{0} texts', count(texts))
  }</title></rect>`;
};
