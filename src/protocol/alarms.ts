import { t } from '../base/l10n';
import { shortNumber } from '../base/number-text';
import { formatMetric, metricInfo } from '../experiment/metrics';
import type { Alarm, AlarmKind, RunEvent } from './events';

export { ALARMS, type Alarm, type AlarmKind } from './events';

/** Translation in the editor and the pages: {0} and so on are replaced by the values. */
const FIELDS: readonly (keyof Alarm)[] = [
  ...(['alarm', 'step', 'since', 'value', 'threshold', 'reference', 'metric', 'answer', 'what'] as const),
];

/** A journal's alarms, in order. */
export const alarmsOf = (events: readonly RunEvent[]): Alarm[] =>
  events.flatMap((e) => (e.kind === 'alarm' ? [bare(e)] : []));

/** The fields without those that every event has. */
const bare = (event: Alarm): Alarm =>
  Object.fromEntries(
    FIELDS.flatMap((f) => (event[f] === undefined ? [] : [[f, event[f]]])),
  ) as unknown as Alarm;

/** A few words, for a mark on a curve or a row. */
export function alarmName(alarm: AlarmKind): string {
  switch (alarm) {
    case 'loss-above-start':
      return t('loss far above its initial value');
    case 'loss-jump':
      return t('loss jumped');
    case 'gradient-explosion':
      return t('gradients exploded');
    case 'non-finite':
      return t('not finite');
    case 'overfitting':
      return t('validation loss rising');
    case 'no-better-than-baseline':
      return t('no better than a constant answer');
    case 'plateau':
      return t('plateau');
    case 'saturation':
      return t('σ saturated');
    case 'outside-support':
      return t('z outside the spline');
    default:
      // From a later version.
      return alarm;
  }
}

/** The observation, with its numbers, as a sentence. */
export function alarmSentence(of: Alarm): string {
  const { alarm, value, threshold, reference } = of;
  const loss = (x: number | undefined) => formatMetric('loss', x ?? NaN);
  const norm = (x: number | undefined) => shortNumber(x ?? NaN);
  const share = (x: number | undefined) => `${Math.round(100 * (x ?? NaN))}%`;
  const metric = (x: number | undefined) => formatMetric(of.metric ?? 'loss', x ?? NaN);
  switch (alarm) {
    case 'loss-above-start':
      return t(
        'The training loss is {0}, far above {1}, its initial value or that of guessing (limit {2}).',
        loss(value),
        loss(reference),
        loss(threshold),
      );
    case 'loss-jump':
      return t(
        'The training loss has jumped to {0}; its average was {1} (limit {2}).',
        loss(value),
        loss(reference),
        loss(threshold),
      );
    case 'gradient-explosion':
      return t(
        'The gradient norm is {0}; it was about {1} (limit {2}).',
        norm(value),
        norm(reference),
        norm(threshold),
      );
    case 'non-finite':
      return t('Not finite: {0}.', of.what ?? '');
    case 'overfitting':
      return t(
        'The validation loss has risen from {0} to {1} while the training loss is falling (limit {2}).',
        loss(reference),
        loss(value),
        loss(threshold),
      );
    case 'no-better-than-baseline':
      return t(
        'No evaluation is better than a constant answer ({0}): best {1} {2}, compared with {3}.',
        of.answer ?? '',
        t(metricInfo(of.metric ?? 'loss').label),
        metric(value),
        metric(reference),
      );
    case 'plateau':
      return t(
        'The training and validation losses have not changed since step {0}; the validation loss is {1}, and was {2}.',
        of.since,
        loss(value),
        loss(reference),
      );
    case 'saturation':
      return t(
        'σ is saturated in {0} of the layers: its curve is flat where most of z is (limit {1}).',
        share(value),
        share(threshold),
      );
    case 'outside-support':
      return t(
        "{0} of z lies outside the spline's support, where the spline is zero (limit {1}).",
        share(value),
        share(threshold),
      );
    default:
      return alarmName(alarm);
  }
}

/** "loss jumped at step 12" or, for several, "loss jumped at step 12 and 2 more"; undefined for none. */
function alarmSummary(alarms: readonly Alarm[]): string | undefined {
  if (alarms.length === 0) return undefined;
  const [first, ...more] = alarms;
  const name = t('{0} at step {1}', alarmName(first.alarm), first.step);
  return more.length === 0 ? name : t('{0} and {1} more', name, more.length);
}

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
