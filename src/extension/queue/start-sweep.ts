import { join } from 'node:path';
import { t } from '../../base/l10n';
import { experimentName, experimentSweeps } from '../../runs/layout';
import type { Sweep } from '../../runs/experiment/sweep';
import { askingBefore, type Asks } from '../ask/asking-before';
import { starting } from '../ask/starting';
import { askedToStop, sweepEnded } from '../notices/end-notice';
import type { ExperimentEntry } from '../runs/store';
import type { Services } from '../services';
import { executorName, type ExecutorName } from '../../experiment/cluster';
import { trialsText } from '../words/sweep-row';

/** With other settings outside its `sweep` section, an experiment has another sweep. */
export const sweepFolderOf = (file: string, { baseHash }: Sweep): string =>
  join(experimentSweeps(file), baseHash);

/**
 * Starts or continues an experiment's sweep. Asks if its files have changed, or if another machine may be running it.
 *
 * @returns false if the user declined
 */
export async function startSweep(
  services: Services,
  file: string,
  sweep: Sweep,
  asks: Asks,
  on: ExecutorName = 'local',
): Promise<boolean> {
  const { store, trainer } = services;
  const folder = sweepFolderOf(file, sweep);
  const [name, trials] = [experimentName(file), trialsText(sweep.trials.length)];
  const title =
    on === 'local'
      ? t('Starting the sweep of {0}: {1}', name, trials)
      : t('Starting the sweep of {0} on {1}: {2}', name, executorName(on), trials);
  // Its check reports problems here, for each trial.
  askedToStop.add(folder);
  let started: boolean;
  let entry: ExperimentEntry | undefined;
  try {
    started = await askingBefore(
      (options) => starting(title, () => trainer.startSweep(file, folder, { ...options, on })),
      asks,
      t(
        'Restore the original files to keep new trials comparable with earlier ones. If you continue, the sweep records which files changed.',
      ),
    );
  } finally {
    await store.refresh();
    entry = (await store.experiments()).find((e) => e.file === file);
    askedToStop.delete(folder);
  }
  // It may have ended before it was seen running.
  const now = entry?.sweeps.find((s) => s.folder === folder);
  if (started && now?.record.ended && now.state !== 'running')
    void sweepEnded(services, now, entry?.runs ?? []);
  return started;
}
