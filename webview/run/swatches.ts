import { html, svg, type TemplateResult } from 'lit';
import { CROSS, markPath } from '../charts/chart-marks';
import { DASHES, SERIES_COLORS, VALIDATION_DASH } from '../charts/chart-colors';

/** The class for a run's color. */
const colorClass = (index: number): string => `color-${index % SERIES_COLORS.length}`;

/** A sample of a run's line: its color and dash. */
export const swatch = (index: number): TemplateResult =>
  html`<svg class="swatch ${colorClass(index)}" viewBox="0 0 28 10" aria-hidden="true">
    ${svg`<line x1="0" y1="5" x2="28" y2="5" stroke-dasharray=${DASHES[index % DASHES.length].join(' ') || 'none'} />`}
  </svg>`;

/** A sample of what was measured on the validation data: the color's other shade, dashed, with the run's marks. */
export const validationSwatch = (index: number): TemplateResult =>
  html`<svg class="swatch shade-${index % SERIES_COLORS.length}" viewBox="0 0 28 10" aria-hidden="true">
    ${svg`<line x1="0" y1="5" x2="28" y2="5" stroke-dasharray=${VALIDATION_DASH.join(' ')} />`}
    ${svg`<path class="mark" d=${markPath((index % DASHES.length) % 4, 14, 5, 3)} />`}
  </svg>`;

/** The mark of an evaluation of a diverged model. */
export const divergedSwatch = (): TemplateResult =>
  html`<svg class="swatch diverged" viewBox="0 0 28 10" aria-hidden="true">
    ${svg`<path class="mark" d=${markPath(CROSS, 14, 5, 2.4)} />`}
  </svg>`;

/** A sample of a run's raw curve, under its smoothed one. */
export const faintSwatch = (index: number): TemplateResult =>
  html`<svg class="swatch faint ${colorClass(index)}" viewBox="0 0 28 10" aria-hidden="true">
    ${svg`<line x1="0" y1="5" x2="28" y2="5" />`}
  </svg>`;
