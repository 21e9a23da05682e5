import { svg, type TemplateResult } from 'lit';
import type { Shape } from '../../src/study/figures/figure';
import { pathData } from '../../src/study/figures/svg';

/** A shape of a figure, as a saved SVG file has it, too. */
export function shape(s: Shape): TemplateResult {
  switch (s.kind) {
    case 'line':
      return svg`<line class=${s.class} x1=${s.x1} y1=${s.y1} x2=${s.x2} y2=${s.y2}></line>`;
    case 'path':
      return svg`<path class=${s.class} d=${pathData(s.points, s.closed)}></path>`;
    case 'circle':
      return svg`<circle class=${s.class} cx=${s.x} cy=${s.y} r=${s.r}></circle>`;
    case 'rect':
      return svg`<rect class=${s.class} x=${s.x} y=${s.y} width=${s.width} height=${s.height}></rect>`;
    case 'text':
      return svg`<text class=${s.class} x=${s.x} y=${s.y} text-anchor=${s.anchor}>${s.text}</text>`;
  }
}
