import { formatMetric } from '../../experiment/metrics';
import { count } from '../../base/number-text';
import type { Say } from '../say';
import { partOf } from './columns';
import type { Column, Value } from './table';

/** A cell as text; empty if the run has no such value. */
export function cellText({ key, type, metric, kind }: Column, value: Value, say: Say): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.join(', ');
  if (key === 'state') return say(String(value));
  if (key === 'star') return value === true ? '★' : '';
  if (typeof value === 'boolean') return value ? say('yes') : say('no');
  if (typeof value !== 'number') return String(value);
  if (metric) return formatMetric(metric, value);
  if (type === 'time') return timeText(value);
  if (type === 'duration') return durationText(value, say);
  return kind === 'setting' ? settingText(value) : count(value);
}

/** "accuracy", "accuracy (last)", "Duration" */
export function columnTitle(column: Column, say: Say): string {
  const part = partOf(column);
  const title = say(column.title);
  return part === 'last' ? say('{0} (last)', title) : part === 'test' ? say('{0} (test)', title) : title;
}

/** As written in an experiment, but 2e-3 rather than 0.002. */
export function settingText(value: number): string {
  const size = Math.abs(value);
  return size > 0 && size < 0.01 ? value.toExponential() : String(value);
}

/** "2026-01-02 04:05" in local time; ms since 1970. */
export function timeText(time: number): string {
  const at = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** "3.2 s", "48 s", "4 min 10 s", "1 h 12 min" */
export function durationText(seconds: number, say: Say): string {
  if (seconds < 10) return say('{0} s', seconds.toFixed(1));
  const whole = Math.round(seconds);
  if (whole < 60) return say('{0} s', whole);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return say('{0} min {1} s', minutes, whole % 60);
  return say('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}
