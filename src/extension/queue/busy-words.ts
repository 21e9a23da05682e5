import { progressPercent } from '../../base/number-text';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { runLabel } from '../runs/label';
import type { InProgress } from './in-progress';
import type { QueuedWork } from './run-queue';

/** The question before a second run or sweep. */
export interface BusyQuestion {
  message: string;
  detail: string;
  /** The button that stops the other work; undefined while nothing can be stopped yet. */
  stop?: string;
}

/** @param wanted the work that the user wants to start */
export function busyQuestion(
  { runs, sweeps, claims, starting }: InProgress,
  wanted: QueuedWork['kind'],
): BusyQuestion {
  const all = runs.length + sweeps.length + claims.length + starting.length;
  const lines = [
    ...runs.map((r) => {
      const name = r.run?.spec.name ?? experimentName(r.experiment);
      const { step = 0, steps = 0 } = r.run?.status ?? {};
      const done = steps > 0 ? ` · ${progressPercent(step, steps)}` : '';
      return `${name} · ${runLabel(r)}${done}`;
    }),
    ...sweeps.map((s) => t('Sweep of {0}', experimentName(s.experiment))),
    ...claims.map((c) => t('Claim of {0}', experimentName(c.experiment))),
    ...starting.map((name) => t('{0} (starting)', name)),
  ];
  const stoppable = runs.length + sweeps.length + claims.length;
  return {
    message:
      all > 1
        ? t('{0} runs are already in progress.', all)
        : sweeps.length === 1
          ? t('A sweep is already in progress.')
          : claims.length === 1
            ? t('A claim is already being tested.')
            : t('A run is already in progress.'),
    detail: [...lines, '', `${queueWords(wanted)} ${otherWords()}`].join('\n'),
    ...(stoppable > 0 && {
      stop:
        stoppable > 1
          ? t('Stop the Others')
          : sweeps.length === 1
            ? t('Stop the Sweep')
            : claims.length === 1
              ? t('Stop the Claim')
              : t('Stop the Other Run'),
    }),
  };
}

const otherWords = (): string =>
  t(
    'Runs in parallel share memory and processor, and each takes longer. A run that is stopped is saved and can be resumed.',
  );

function queueWords(wanted: QueuedWork['kind']): string {
  switch (wanted) {
    case 'run':
      return t('A queued run starts when nothing else is in progress, with the settings as they are now.');
    case 'claim':
      return t('A queued claim starts when nothing else is in progress, if its file is unchanged then.');
    case 'sweep':
      return t(
        'A queued sweep starts when nothing else is in progress, with the settings that its file has then.',
      );
    default:
      return t('A queued run starts when nothing else is in progress.');
  }
}
