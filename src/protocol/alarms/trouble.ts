import { t } from '../../base/l10n';

import type { RunEvent } from '../events';
import { alarmName, alarmsOf, alarmSummary, type AlarmKind } from './alarms';

/** Alarms about a model that training has destroyed. */
const EXPLOSIONS: readonly AlarmKind[] = [
  'loss-above-start',
  'loss-jump',
  'gradient-explosion',
  'non-finite',
];

/** True if the model has exploded at some step, even if it recovered. */
export const hasExploded = (events: readonly RunEvent[]): boolean =>
  divergedCount(events) > 0 || alarmsOf(events).some(({ alarm }) => EXPLOSIONS.includes(alarm));

/** The number of evaluations of a diverged model. */
export const divergedCount = (events: readonly RunEvent[]): number =>
  events.filter((e) => e.kind === 'diverged-evaluation').length;

/** The last step before any alarm or diverged evaluation: a fork from there avoids all of them. */
export function lastGoodStep(events: readonly RunEvent[]): number {
  const diverged = events.flatMap((e) => (e.kind === 'diverged-evaluation' ? [e.step - 1] : []));
  return Math.max(0, Math.min(...alarmsOf(events).map(({ since }) => since), ...diverged));
}

/** True if a run has an alarm or a diverged evaluation, which its state alone hides. */
export const isTroubled = (events: readonly RunEvent[]): boolean =>
  divergedCount(events) > 0 || alarmsOf(events).length > 0;

/** The counts of a run's troubles, for a badge: "9 evaluations diverged, 2 alarms"; undefined for a run without any. */
export function troubleCounts(events: readonly RunEvent[]): string | undefined {
  const alarms = alarmsOf(events).length;
  return joined([
    divergedWords(events),
    alarms === 0 ? '' : alarms === 1 ? t('1 alarm') : t('{0} alarms', alarms),
  ]);
}

/** The first alarm and how many more, for a row: "9 evaluations diverged, loss jumped at step 12 and 2 more". */
export const troubleSummary = (events: readonly RunEvent[]): string | undefined =>
  joined([divergedWords(events), alarmSummary(alarmsOf(events)) ?? '']);

function divergedWords(events: readonly RunEvent[]): string {
  const count = divergedCount(events);
  return count === 0 ? '' : count === 1 ? t('1 evaluation diverged') : t('{0} evaluations diverged', count);
}

const joined = (parts: readonly string[]): string | undefined =>
  parts.filter((part) => part !== '').join(', ') || undefined;

/** The names of the alarms and, before them, that evaluations diverged, for a cell of a table. */
export const troubleNames = (events: readonly RunEvent[]): string[] => [
  ...(divergedCount(events) > 0 ? [t('evaluations diverged')] : []),
  ...alarmsOf(events).map(({ alarm }) => alarmName(alarm)),
];
