import { t } from '../../base/l10n';

import type { Experiment } from '../../experiment/experiment';
import { alarmSentence, type Alarm, lastGoodStep } from '../../protocol/alarms';
import { runLabel } from '../runs/label';
import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';

/** The learning rate of a fork is this many times smaller: half the usual distance between two rates of a search. */
const LOWER = 5;

/** The notification for alarms of one run that came together. */
export interface AlarmNotice {
  message: string;
  /** True if there is something to stop. */
  canStop: boolean;
  fork: { title: string; step: number; overrides: string[] };
}

/**
 * The fork is from before the run's first alarm, also if that is not among these: later ones have the same cause.
 *
 * @param checkpoints steps of those on disk, ascending
 */
export function alarmNotice(
  entry: RunEntry,
  alarms: readonly Alarm[],
  checkpoints: readonly number[],
): AlarmNotice {
  const label = runLabel(entry);
  const name = entry.run ? `${entry.run.spec.name} (${label})` : label;
  const since = Math.min(...alarms.map((alarm) => alarm.since), lastGoodStep(entry.run?.events ?? []));
  const step = checkpoints.findLast((s) => s <= since) ?? 0;
  const texts = alarms.map((alarm) => t('Step {0}: {1}', alarm.step, alarmSentence(alarm)));
  return {
    message: `${name}: ${texts.join(' ')}`,
    canStop: isActive(entry.state),
    fork: {
      title: t('Fork with Lower Rate from Step {0}', step),
      step,
      overrides: entry.run ? lowerRates(entry.run.spec) : [],
    },
  };
}

/** A head with its own rate gets a lower one, too; any other follows. */
function lowerRates({ training, task }: Experiment): string[] {
  const { learningRate, headLearningRate } = training;
  const set = (key: string, rate: number) => `training.${key}=${Number((rate / LOWER).toPrecision(6))}`;
  return [
    set('learningRate', learningRate),
    ...(task.head !== 'none' && headLearningRate !== learningRate
      ? [set('headLearningRate', headLearningRate)]
      : []),
  ];
}
