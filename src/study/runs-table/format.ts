import { settingText } from '../../experiment/sweep';
import { formatMetric } from '../../experiment/metrics';
import { count, numberText } from '../../base/number-text';
import { shortCommit } from '../../base/short-commit';
import { durationText } from '../../base/time-text';
import { t } from '../../base/l10n';
import { partOf } from './columns';
import type { Column, Value } from './table';

/** A cell as text; empty if the run has no such value. */
export function cellText({ key, type, metric, kind }: Column, value: Value): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((v: string) => (key === 'alarms' ? t(v) : v)).join(', ');
  if (key === 'state') return t(String(value));
  if (key === 'star') return value === true ? '★' : '';
  if (typeof value === 'boolean') return value ? t('yes') : t('no');
  if (key === 'commit') return shortCommit(String(value));
  if (typeof value !== 'number') return String(value);
  if (metric) return formatMetric(metric, value);
  if (type === 'time') return timeText(value);
  if (type === 'duration') return durationText(value);
  return kind === 'setting' ? settingText(key, value) : count(value);
}

/** "accuracy", "accuracy (last)", "Duration" */
export function columnTitle(column: Column): string {
  const part = partOf(column);
  const title = t(column.title);
  return part === 'last' ? t('{0} (last)', title) : part === 'test' ? t('{0} (test)', title) : title;
}

/** A mean or a spread of cells; the mean of whole numbers is rarely whole. */
export function meanText(column: Column, value: number): string {
  const hasUnit = column.metric !== undefined || column.type === 'duration' || column.type === 'time';
  return hasUnit ? cellText(column, value) : numberText(value);
}

/** "2026-01-02 04:05" in local time; ms since 1970. */
export function timeText(time: number): string {
  const at = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
