import { html, nothing } from 'lit';
import type { Figure } from '../../src/study/figures/figure';
import { svgText } from '../../src/study/figures/svg';
import { SWEEP_STYLE } from '../../src/study/sweep/sweep-style';
import { CHART_FORMATS, type ChartFormat, type SaveChart } from '../../src/protocol/panels/save-chart';
import { pngOf } from '../charts/picture-files';
import { t } from '../../src/base/l10n';

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
