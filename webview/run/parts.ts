import { html, svg, type TemplateResult } from 'lit';
import { DASHES, SERIES_COLORS } from '../charts/theme';

/** The class for a run's color. */
export const colorClass = (index: number): string => `color-${index % SERIES_COLORS.length}`;

/** A sample of a run's line: its color and dash. */
export const swatch = (index: number): TemplateResult =>
  html`<svg class="swatch ${colorClass(index)}" viewBox="0 0 28 10" aria-hidden="true">
    ${svg`<line x1="0" y1="5" x2="28" y2="5" stroke-dasharray=${DASHES[index % DASHES.length].join(' ') || 'none'} />`}
  </svg>`;
