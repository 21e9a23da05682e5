import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { clusterEnvironment } from '../launcher/environment';
import { programError } from '../launcher/program-error';
import { runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { clusterTrialOf } from './trial';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import { executorName } from '../../experiment/cluster';

/**
 * Asks before it copies them here, for a command that needs one.
 *
 * @returns false if the user declined or canceled
 */
export async function offerCheckpoints(services: Services, entry: RunEntry): Promise<boolean> {
  const bring = t('Bring Checkpoints');
  const picked = await notify.information(
    t(
      'The checkpoints of {0} are on the cluster that trained it. Bring them to this machine?',
      runLabel(entry),
    ),
    bring,
  );
  return picked === bring && bringCheckpoints(services, entry.folder);
}

/**
 * Copies the checkpoints of a trial's run here from the cluster that trained it.
 *
 * @returns false if the user canceled
 */
export async function bringCheckpoints(services: Services, run: string): Promise<boolean> {
  const trial = await clusterTrialOf(services, run);
  if (!trial) return false;
  const { trainer, partsChanged } = services;
  const { sweep, record, label, cluster } = trial;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Bringing the checkpoints of {0} from {1}', label, executorName(cluster.executor)),
    cancellable: true,
  };
  const came = await withProgress(options, async (_, token) => {
    const args = ['sweep', sweep.experiment, '--checkpoints', String(record.number)];
    const ended = await trainer
      .program([...args, ...trainer.clusterArguments()], {
        ...{ cwd: dirname(sweep.experiment), env: clusterEnvironment(process.env), timeout: Infinity, token },
      })
      .catch((e: unknown) => {
        if (token.isCancellationRequested) return undefined;
        throw e;
      });
    if (!ended) return false;
    if (ended.code === 0) return true;
    throw programError(ended, 'sweep --checkpoints');
  });
  partsChanged.fire(run);
  return came;
}
