import type { PageTrial } from '../../src/protocol/panels/sweep';
import type { Figure } from '../../src/study/figures/figure';
import { parallelFigure as drawn } from '../../src/study/sweep/sweep-figures';
import { parallelLayout } from '../../src/study/sweep/parallel';
import { t } from '../../src/base/l10n';
import type { Shown } from './sweep-model';
import { html, nothing } from 'lit';
import { svgText } from '../../src/study/figures/svg';
import { SWEEP_STYLE } from '../../src/study/sweep/sweep-style';
import { CHART_FORMATS, type ChartFormat, type SaveChart } from '../../src/protocol/panels/save-chart';
import { pngOf } from '../charts/picture-files';

/** In pixels of a saved file. */
const WIDTH = 900;
const HEIGHT = 360;

/** Parallel coordinates to save, of the trials that are in view. */
export const parallelFigure = ({ all, facts, shade }: Shown, kept: readonly PageTrial[]): Figure =>
  drawn(
    parallelLayout(all, WIDTH, HEIGHT),
    kept,
    ({ metric }) => (metric === undefined ? undefined : shade(metric)),
    t('Sweep of {0}', facts.experiment),
  );

/** Fired with the file to save (`SaveChart`); bubbles. */
export const SAVE = 'save-chart';

interface Saved {
  /** For the file's name. */
  chart: string;
  /** For people. */
  heading: string;
  /** Without one, there are only numbers. */
  figure?: () => Figure | undefined;
  csv: () => string;
}

/** Buttons that save a figure, and its numbers. */
export function saveButtons({ chart, heading, figure, csv }: Saved) {
  const save = async (button: EventTarget, format: ChartFormat) => {
    const data = format === 'csv' ? csv() : await pictureOf(figure?.(), format);
    if (data === undefined) return;
    const detail: SaveChart = { type: 'saveChart', chart, format, data };
    button.dispatchEvent(new CustomEvent(SAVE, { detail, bubbles: true, composed: true }));
  };
  return html`<span class="save" role="group" aria-label=${t('Save {0}', heading)}>
    <span aria-hidden="true">${t('Save as')}</span>
    ${CHART_FORMATS.map((format) =>
      figure || format === 'csv'
        ? html`<button
            class="link"
            data-save="${chart}.${format}"
            aria-label=${t('Save {0} as {1}', heading, format.toUpperCase())}
            @click=${(e: Event) => void save(e.currentTarget!, format)}
          >
            ${format.toUpperCase()}
          </button>`
        : nothing,
    )}
  </span>`;
}

/** A PNG in the colors of the page; an SVG follows its reader's. */
async function pictureOf(figure: Figure | undefined, format: 'png' | 'svg'): Promise<string | undefined> {
  if (!figure) return undefined;
  if (format === 'svg') return svgText(figure, SWEEP_STYLE);
  const { classList } = document.body;
  const isLight = classList.contains('vscode-light') || classList.contains('vscode-high-contrast-light');
  return pngOf(svgText(figure, SWEEP_STYLE, isLight ? 'light' : 'dark'), figure);
}
