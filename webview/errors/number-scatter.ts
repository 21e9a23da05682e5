import { html, svg } from 'lit';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import type { NumberColumns } from '../../src/protocol/answers/number';
import { rowNumber, rowWord } from '../../src/protocol/row-place';
import type { Model } from './errors-model';

/** Number of shades of cells; the lightest is visible. */
const SHADES = 6;
/** With more examples, points would hide each other, and slow down the page. */
const MOST_POINTS = 1000;
/** Cells per side in place of points. */
const CELLS = 48;
/** Space beyond the outermost values, as a share of their range. */
const MARGIN = 0.04;

/** Predicted against true numbers. Both axes have the same ends, so that the diagonal is where they are equal. */
export interface Plot {
  /** Positions are shares of the axes. */
  ticks: { label: string; at: number }[];
  points: PlotPoint[];
  /** In place of points, for many examples: those with any. */
  cells: PlotCell[];
  /** The number of examples in the fullest cell. */
  most: number;
}

export interface PlotPoint {
  example: number;
  x: number;
  y: number;
}

/** A square, from (x, y) on. */
export interface PlotCell {
  x: number;
  y: number;
  size: number;
  count: number;
}

export function plotOf({ value, predicted }: NumberColumns): Plot {
  const [low, high] = axisOf(value, predicted);
  const share = (v: number) => (v - low) / (high - low);
  const ticks = ticksWithin(low, high).map(({ value: v, label }) => ({ label, at: share(v) }));
  if (value.length <= MOST_POINTS)
    return {
      ticks,
      points: Array.from(value, (v, example) => ({ example, x: share(v), y: share(predicted[example]) })),
      cells: [],
      most: 0,
    };
  const counts = new Uint32Array(CELLS * CELLS);
  const at = (v: number) => Math.min(CELLS - 1, Math.floor(CELLS * share(v)));
  value.forEach((v, i) => counts[at(predicted[i]) * CELLS + at(v)]++);
  const cells = Array.from(counts, (count, i): PlotCell => ({
    x: (i % CELLS) / CELLS,
    y: Math.floor(i / CELLS) / CELLS,
    size: 1 / CELLS,
    count,
  })).filter((c) => c.count > 0);
  return { ticks, points: [], cells, most: Math.max(...cells.map((c) => c.count)) };
}

/** The ends of the axes. */
function axisOf(...all: readonly Float64Array[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const values of all)
    for (const v of values) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  const margin = low < high ? MARGIN * (high - low) : Math.abs(low) / 10 || 1;
  return [low - margin, high + margin];
}

/** Number of ticks, roughly. */
const TICKS = 6;

interface Tick {
  value: number;
  label: string;
}

/** Round numbers from `low` to `high`, with the same step between them. */
export function ticksWithin(low: number, high: number): Tick[] {
  const step = roundStep((high - low) / TICKS);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step))), 20);
  return Array.from({ length: last - first + 1 }, (_, k) => {
    const value = (first + k) * step;
    const label = value.toLocaleString('en-US', { maximumFractionDigits: digits, signDisplay: 'negative' });
    return { value, label };
  });
}

/** The next larger one of 1, 2 and 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((f) => f * power >= least)!;
  return factor * power;
}

/** Predicted against true numbers, as points or, if there are many, as the density of points. */
export function scatter(
  model: Model,
  columns: NumberColumns,
  name: string,
  { ticks, points, cells, most }: Plot,
  plain: (value: number) => string,
) {
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
        aria-label=${t('{0} texts by true and predicted {1}; the tables list the same values.', count(model.examples), name)}
      >
        ${ticks.map((tick) => tickLines(tick.label, tick.at))}
        ${points.map((p) => point(model, columns, p, plain))} ${cells.map((c) => cell(c, most))}
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

const point = (
  { file, parts }: Model,
  c: NumberColumns,
  { example, x, y }: PlotPoint,
  plain: (value: number) => string,
) =>
  svg`<circle class="point" r="3.5" cx=${percentage(x)} cy=${percentage(1 - y)}><title>${t(
    '{0} {1}: {2}, predicted as {3}',
    t(rowWord(file)),
    rowNumber(file, c.line[example], parts),
    plain(c.value[example]),
    plain(c.predicted[example]),
  )}</title></circle>`;

const cell = ({ x, y, size, count: texts }: PlotCell, most: number) => {
  // Square root: most squares have few texts, next to a few squares with many.
  const shade = Math.ceil(SHADES * Math.sqrt(texts / most));
  return svg`<rect class="cell shade-${shade}" x=${percentage(x)} y=${percentage(1 - y - size)} width=${percentage(size)} height=${percentage(size)}><title>${
    texts === 1 ? t('1 text') : t('{0} texts', count(texts))
  }</title></rect>`;
};
