import { bytes, shortNumber } from '../../src/base/number-text';

export const formatNumber = shortNumber;

export const formatCount = (value: number): string => Math.round(value).toLocaleString('en-US');

export const formatBytes = (value: number): string => (Number.isFinite(value) ? bytes(value) : '–');

/** 0:42, 12:05, 3:07:12 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Ticks of a time axis, in seconds. */
export const TIME_INCREMENTS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
];

/** A tick label of a time axis: whole seconds as a duration, fractions unchanged. */
export const formatTime = (seconds: number): string =>
  Number.isInteger(seconds) ? formatDuration(seconds) : `${Number(seconds.toFixed(2))} s`;

/** Duration of a step: 0.62 s, 35 ms. */
export const formatStepTime = (seconds: number): string =>
  seconds < 0.1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : `${Number(seconds.toPrecision(2))} s`;
