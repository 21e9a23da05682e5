import { bytes, count, shortNumber } from '../../src/base/number-text';
import { durationText } from '../../src/base/time-text';
import { formatMetric } from '../../src/experiment/metrics';
import { t } from '../../src/base/l10n';

export const formatNumber = shortNumber;

export const formatLoss = (value: number): string =>
  Number.isNaN(value) ? '–' : formatMetric('loss', value);

export const formatCount = (value: number): string => count(Math.round(value));

export const formatBytes = (value: number): string => (Number.isFinite(value) ? bytes(value) : '–');

/** 42 s, 12 min 5 s, 3 h 7 min */
export const formatDuration = (seconds: number): string => durationText(seconds, t);

/** Ticks of a time axis, in seconds. */
export const TIME_INCREMENTS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
];
