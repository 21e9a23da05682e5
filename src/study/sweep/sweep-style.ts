import { type MetricName, score } from '../../experiment/metrics';
import type { SvgStyle } from '../figures/svg';

/** Shades of the color scale, from the worst result (0) to the best. */
export const SHADES = 8;

/**
 * The shade of a value: by how many of the trials it is better than, so that one trial that is far off does not make all
 * others look the same.
 *
 * @param values of all trials with a result
 */
export function shades(values: readonly number[], metric: MetricName): (value: number) => number {
  const scores = values.map((v) => score(metric, v)).sort((a, b) => a - b);
  const distinct = scores.filter((s, i) => i === 0 || s !== scores[i - 1]);
  return (value) => {
    const worse = distinct.filter((s) => s < score(metric, value)).length;
    if (distinct.length < 2) return SHADES - 1;
    return Math.min(SHADES - 1, Math.round((worse / (distinct.length - 1)) * (SHADES - 1)));
  };
}

/** The worst, the median and the best value, for a legend; undefined before the first result. */
export function shadeEnds(
  values: readonly number[],
  metric: MetricName,
): [worst: number, median: number, best: number] | undefined {
  const sorted = [...values].sort((a, b) => score(metric, a) - score(metric, b));
  return sorted.length === 0
    ? undefined
    : [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)!];
}

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
