import type { SvgStyle } from '../figures/svg';
import { SHADES } from './shade';

/**
 * The ends of the scale in a saved figure, as in `series-0` and `series-1`: blue and orange, which everybody can
 * distinguish.
 */
const LIGHT = [
  [0x00, 0x72, 0xb2],
  [0xb3, 0x54, 0x00],
];
const DARK = [
  [0x56, 0xb4, 0xe9],
  [0xe6, 0x9f, 0x00],
];

const scale = ([worst, best]: number[][]): string =>
  Array.from({ length: SHADES }, (_, k) => {
    const share = k / (SHADES - 1);
    const color = worst.map((v, i) => Math.round(v + share * (best[i] - v))).join(' ');
    return `.shade-${k}{color:rgb(${color})}`;
  }).join('');

/** The styles that a saved figure of a sweep needs in addition to those of all figures. */
export const SWEEP_STYLE: SvgStyle = {
  light: [
    `.trial{fill:none;stroke:currentColor;stroke-opacity:.7}.trial.unmeasured{stroke-dasharray:3 3;stroke-opacity:.3}`,
    `.shade-${SHADES - 1}{stroke-width:2.5}`,
    `.cell{fill:currentColor;fill-opacity:.35;stroke:currentColor}.cell.untried{fill:none;stroke-opacity:.25;stroke-dasharray:3 3}`,
    `.name{font-weight:600}.tick{paint-order:stroke;stroke:#fff;stroke-width:3px}`,
    scale(LIGHT),
  ].join(''),
  dark: `.tick{stroke:#0d1117}${scale(DARK)}`,
};
