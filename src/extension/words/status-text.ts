import { preparingText, type Preparing } from '../../protocol/preparing';
import { progressPercent } from '../../base/number-text';
import { t } from '../../base/l10n';
import { formatMetric } from '../../experiment/metrics';

/** A run in training, for the status bar. */
export interface ActiveRun {
  folder: string;
  /** The experiment's name. */
  experiment: string;
  /** The run's display name. */
  label: string;
  step: number;
  /** 0 until the trainer knows it. */
  steps: number;
  /** Before the first step. */
  preparing?: Preparing;
  loss?: number;
  /** The problem, in a few words. */
  alarm?: string;
}

export interface StatusText {
  text: string;
  /** Lines. */
  tooltip: string[];
  /** For screen readers, which do not read icons. */
  spoken: string;
  /** Something is wrong with a run. */
  warns?: true;
}

/** The text of the status bar item; undefined if nothing runs. */
export function statusText(runs: readonly ActiveRun[]): StatusText | undefined {
  if (runs.length === 0) return undefined;
  const alarms = runs.flatMap(({ alarm }) => (alarm === undefined ? [] : [alarm]));
  const warns = alarms.length > 0;
  const all = runs.length === 1 ? one(runs[0]) : t('{0} runs', runs.length);
  const words = warns ? `${all} · ${alarms[0]}` : all;
  return {
    text: `$(${warns ? 'warning' : 'sync~spin'}) ${words}`,
    spoken: warns ? t('AuroRA is training, with a warning: {0}', words) : t('AuroRA is training: {0}', words),
    ...(warns && { warns }),
    tooltip: runs.map((run) => {
      const where =
        run.steps > 0
          ? t('step {0} of {1}', run.step, run.steps)
          : run.preparing
            ? preparingText(run.preparing)
            : t('preparing');
      const loss = run.loss === undefined ? '' : ` · ${t('loss {0}', formatMetric('loss', run.loss))}`;
      const alarm = run.alarm === undefined ? '' : ` · ${run.alarm}`;
      return `${run.experiment} · ${run.label} · ${where}${loss}${alarm}`;
    }),
  };
}

function one({ experiment, step, steps, loss, preparing }: ActiveRun): string {
  if (preparing) return `${experiment} · ${preparingText(preparing)}`;
  if (steps === 0) return t('{0}: preparing', experiment);
  return `${experiment} ${progressPercent(step, steps)}${loss === undefined ? '' : ` · ${t('loss {0}', formatMetric('loss', loss))}`}`;
}
