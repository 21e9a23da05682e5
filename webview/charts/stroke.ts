import type { Curve } from './curve';
import { DASHES, VALIDATION_DASH, type ChartColors } from './theme';

/** How a curve is drawn, whatever it is drawn on: dashes in CSS pixels. */
export interface Stroke {
  color: string;
  dash: readonly number[];
  opacity: number;
}

export function strokeOf(
  {
    color,
    dash,
    faint,
    validation,
    crosses,
  }: Pick<Curve, 'color' | 'dash' | 'faint' | 'validation' | 'crosses'>,
  { series, shades, warning }: ChartColors,
): Stroke {
  return {
    color: crosses ? warning : (validation ? shades : series)[color % series.length],
    dash: validation ? VALIDATION_DASH : DASHES[dash % DASHES.length],
    opacity: faint ? 0.45 : 1,
  };
}
