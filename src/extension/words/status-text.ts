import type { Translate } from '../translate';

/** A run that is being trained, as the status bar tells of it. */
export interface ActiveRun {
  folder: string;
  /** The experiment's name. */
  experiment: string;
  /** What people call the run. */
  label: string;
  step: number;
  /** 0 before the trainer knows. */
  steps: number;
  loss?: number;
}

export interface StatusText {
  text: string;
  /** Lines. */
  tooltip: string[];
  /** For screen readers, which read no icons. */
  spoken: string;
}

/** What the one item of the status bar says; undefined where nothing runs. */
export function statusText(runs: readonly ActiveRun[], t: Translate): StatusText | undefined {
  if (runs.length === 0) return undefined;
  const words = runs.length === 1 ? one(runs[0], t) : t('{0} runs', runs.length);
  return {
    text: `$(sync~spin) ${words}`,
    spoken: t('AuroRA is training: {0}', words),
    tooltip: runs.map((run) => {
      const where = run.steps > 0 ? t('step {0} of {1}', run.step, run.steps) : t('preparing');
      const loss = run.loss === undefined ? '' : ` · ${t('loss {0}', lossText(run.loss))}`;
      return `${run.experiment} · ${run.label} · ${where}${loss}`;
    }),
  };
}

function one({ experiment, step, steps, loss }: ActiveRun, t: Translate): string {
  if (steps === 0) return t('{0}: preparing', experiment);
  // Never 100 % before it is.
  const percent = t('{0} %', Math.floor((100 * step) / steps));
  return `${experiment} ${percent}${loss === undefined ? '' : ` · ${t('loss {0}', lossText(loss))}`}`;
}

/** Two digits after the point are enough to see it fall; a small loss needs its first digits. */
const lossText = (loss: number): string =>
  loss === 0 || Math.abs(loss) >= 0.1 || !Number.isFinite(loss) ? loss.toFixed(2) : loss.toPrecision(2);
