import * as vscode from 'vscode';
import { heldBy } from '../../files/owner';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { ownerByStatus } from '../../runs/status';
import { restoreSweep, trashSweep, type TrashedSweep } from '../../runs/sweep/sweep-trash';
import { trashOf } from '../../runs/trash';
import { showError } from '../ask/guard';
import { confirmDeletion } from '../ask/confirm-deletion';
import { sweepFrom, type SweepRuns } from '../ask/pick';
import { COMMAND } from '../ids';
import { isActive } from '../runs/shown-state';
import type { Services } from '../services';
import { isUnfollowed } from '../words/cluster/cluster-words';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/** Deletes a sweep with its trials: asks first, moves them to the trash, and can be undone. */
export async function deleteSweep(services: Services, argument: unknown): Promise<void> {
  const title = t('Select a sweep to delete');
  let found = await sweepFrom(services, argument, title);
  if (!found) return;
  if (isRunning(found)) {
    if (!(await stopFirst(found))) return;
    found = await sweepFrom(services, found.sweep.folder, title);
    if (!found || isRunning(found)) return;
  }
  await requireFree(found);
  if (!(await confirm(found))) return;
  await remove(services, found);
}

export async function restore(services: Services, trashed: TrashedSweep): Promise<void> {
  try {
    await restoreSweep(trashed);
  } finally {
    await services.store.refresh();
  }
}

/** Jobs in a cluster's queue would create its trials again. */
const isRunning = ({ sweep, runs }: SweepRuns): boolean =>
  sweep.state === 'running' || isUnfollowed(sweep) || runs.some((r) => isActive(r.state));

async function stopFirst({ sweep, runs }: SweepRuns): Promise<boolean> {
  const stop = t('Stop');
  const answer = await notify.warning(
    t('The sweep of {0} is still running.', experimentName(sweep.experiment)),
    {
      modal: true,
      detail: t('A sweep cannot be deleted while it is running. Stopping saves its trials first.'),
    },
    stop,
  );
  if (answer !== stop) return false;
  if (sweep.state === 'running' || isUnfollowed(sweep))
    await vscode.commands.executeCommand(COMMAND.stopSweep, { kind: 'sweep', folder: sweep.folder });
  // A trial that somebody trains by hand.
  else
    for (const run of runs.filter((r) => isActive(r.state)))
      await vscode.commands.executeCommand(COMMAND.stopRun, run.folder);
  return true;
}

/** Another machine may be at it, which its state here does not show. */
async function requireFree({ sweep, runs }: SweepRuns): Promise<void> {
  for (const folder of [sweep.folder, ...runs.map((r) => r.folder)]) {
    const held = await heldBy(folder, ownerByStatus(folder));
    if (held)
      throw new AuroraError(
        'run',
        t(
          'The sweep of {0} cannot be deleted: process {1} on {2} is using {3}.',
          experimentName(sweep.experiment),
          held.heldBy.pid,
          held.heldBy.host,
          folder,
        ),
        t('Stop it there, or use Resume Sweep to take it over if that process has ended.'),
      );
  }
}

async function confirm({ sweep, runs }: SweepRuns): Promise<boolean> {
  const name = experimentName(sweep.experiment);
  const question =
    runs.length === 1
      ? t('Delete the sweep of {0} with its 1 trial?', name)
      : t('Delete the sweep of {0} with its {1} trials?', name, runs.length);
  const detail = t(
    'They will be moved to {0}. To get them back, use "AuroRA: Restore Deleted Run".',
    trashOf(sweep.folder),
  );
  return confirmDeletion(question, detail, t('Keep Sweep'));
}

async function remove(services: Services, { sweep, runs }: SweepRuns): Promise<void> {
  const { store, log } = services;
  const name = experimentName(sweep.experiment);
  const title = t('Deleting the sweep of {0} …', name);
  const location = vscode.ProgressLocation.Window;
  const folders = runs.map((r) => r.folder);
  let trashed: TrashedSweep;
  try {
    const done = await withProgress({ location, title }, () => trashSweep(sweep.folder, folders));
    trashed = done.trashed;
    // The others are ordinary runs from now on.
    if (done.failed.length > 0) showError(log, done.failed[0]);
  } finally {
    await store.refresh();
  }
  const undo = t('Undo');
  const message = t('Deleted the sweep of {0}. Trials: {1}.', name, trashed.trials.length);
  // Not awaited: the command is done, and the message may stay for a long time.
  void notify.information(message, undo).then((answer) => {
    if (answer === undo) restore(services, trashed).catch((e: unknown) => showError(log, e));
  });
}
