import { extent } from './curve';
import type { ChartView } from './line-chart';

/** The ends of the y axis: the values in view with some margin, within the possible range. */
export function rangeY(view: Omit<ChartView, 'xLabel'>): [number, number] {
  const { curves, min, max, log, fromZero, within: [least, most] = [-Infinity, Infinity] } = view;
  const found = extent(curves, min, max, log === true);
  if (!found) return log ? [0.1, 10] : [0, 1];
  const [low, high] = found;
  // Values beyond what is possible are shown, rather than cut off.
  const [bottom, top] = [Math.min(least, low), Math.max(most, high)];
  // Rounding errors of a value that is always the same are no curve.
  const flat = high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));
  if (log) {
    const [from, to] = flat ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
    return [bottom > 0 ? Math.max(bottom, from) : from, Math.min(top, to)];
  }
  if (fromZero) return [0, Math.min(top, high * 1.1) || 1];
  const margin = flat ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  // No axis below zero for values that are never negative.
  const from = low >= 0 ? Math.max(0, low - margin) : low - margin;
  return [Math.max(bottom, from), Math.min(top, high + margin)];
}
