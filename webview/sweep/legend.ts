import { html, nothing, svg } from 'lit';
import { shadeEnds, SHADES } from '../../src/study/sweep/sweep-style';
import { t } from '../../src/base/l10n';
import type { Shown } from './model';
import { metricText } from './words';

/** The color scale with its worst, median and best value. Better results are also drawn thicker. */
export function legend({ facts, values }: Shown) {
  const ends = shadeEnds(values, facts.metric);
  if (!ends) return nothing;
  const [worst, median, best] = ends.map((value) => metricText(facts, value));
  return html`<div
    class="legend"
    role="img"
    aria-label=${t('Color: worst {0}, median {1}, best {2}', worst, median, best)}
  >
    <span>${t('worst')} ${worst}</span>
    <svg width="128" height="12" aria-hidden="true">
      ${Array.from({ length: SHADES }, (_, k) => swatch(k))}
    </svg>
    <span>${best} ${t('best')}</span>
  </div>`;
}

const swatch = (k: number) => svg`<rect class="swatch shade-${k}" x=${16 * k} width="15" height="12"></rect>`;
