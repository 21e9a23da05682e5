import { bytes, count, shortNumber } from '../../src/base/number-text';
import { formatMetric } from '../../src/experiment/metrics';

export const formatNumber = shortNumber;

export const formatLoss = (value: number): string =>
  Number.isNaN(value) ? '–' : formatMetric('loss', value);

export const formatCount = (value: number): string => count(Math.round(value));

export const formatBytes = (value: number): string => (Number.isFinite(value) ? bytes(value) : '–');

/** Ticks of a time axis, in seconds. */
export const TIME_INCREMENTS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
];
