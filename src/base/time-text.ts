import { t } from './l10n';

/** A duration: "48 ms", "3.2 s", "48 s", "3 min 12 s", "2 h"; "–" for NaN. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0.1 && seconds > 0) return stepTime(seconds);
  if (seconds < 9.95 && !Number.isInteger(seconds)) return t('{0} s', Number(seconds.toFixed(1)));
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('{0} s', whole);
  if (whole < 3600) return two([t('{0} min', Math.floor(whole / 60)), t('{0} s', whole % 60)], whole % 60);
  const minutes = Math.round(whole / 60);
  return two([t('{0} h', Math.floor(minutes / 60)), t('{0} min', minutes % 60)], minutes % 60);
}

/** A time that was estimated: "less than a minute", "about 12 min", "about 2 h 5 min". */
export function estimateText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return t('less than a minute');
  if (minutes < 60) return t('about {0} min', minutes);
  const [hours, rest] = [Math.floor(minutes / 60), 5 * Math.floor((minutes % 60) / 5)];
  return rest === 0 ? t('about {0} h', hours) : t('about {0} h {1} min', hours, rest);
}

/** The second part only if there is something in it. */
const two = ([first, second]: [string, string], rest: number): string =>
  rest === 0 ? first : `${first} ${second}`;

/** A short time that was measured, such as a step's: "3.2 ms", "48 ms", "1.25 s", "12.6 s". */
export function stepTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0.1) return `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0)} s`;
}
