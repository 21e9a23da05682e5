import { html } from 'lit';
import type { Figure } from '../../src/study/figures/figure';
import { svgText } from '../../src/study/figures/svg';
import { SWEEP_STYLE } from '../../src/study/sweep/svg-style';
import { t } from '../ui/l10n';

/** Fired with the name and the text of a file to save; bubbles. */
export const SAVE = 'save-file';

/** Buttons that save a figure and its numbers. */
export function saveButtons(
  name: string,
  figure: (() => Figure | undefined) | undefined,
  numbers: () => string,
) {
  const save = (e: Event, extension: string, text: string | undefined) => {
    if (text === undefined) return;
    const detail = { name: `${name}.${extension}`, text };
    e.currentTarget!.dispatchEvent(new CustomEvent(SAVE, { detail, bubbles: true, composed: true }));
  };
  const asSvg = (e: Event) => {
    const drawn = figure?.();
    save(e, 'svg', drawn && svgText(drawn, SWEEP_STYLE));
  };
  return html`<span class="save">
    ${figure ? html`<button class="link" data-save="${name}.svg" @click=${asSvg}>${t('Save as SVG')}</button>` : ''}
    <button class="link" data-save="${name}.csv" @click=${(e: Event) => save(e, 'csv', numbers())}>
      ${t('Save as CSV')}
    </button>
  </span>`;
}
