import * as vscode from 'vscode';
import { own } from '../../base/names';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { requestCancel, requestResume } from '../../runs/sweep/cancel';
import type { TrialRecord } from '../../runs/sweep/record';
import { starting } from '../ask/starting';
import { COMMAND } from '../ids';
import { isTreeNode, runFolderOf, type SweepNode } from '../runs/nodes';
import { trialLabel } from '../runs/label';
import type { OnCluster, SweepEntry } from '../runs/store';
import { sweepFolderOf } from '../runs/sweep-of';
import type { Services } from '../services';
import { notify } from '../messages/notify';
import { executorName } from '../../experiment/cluster';

/** A trial that a cluster trains, with or without a run. */
export interface ClusterTrialEntry {
  sweep: SweepEntry;
  record: TrialRecord;
  label: string;
  cluster: OnCluster;
}

/** The trial of a command's argument: a row of the tree or a page, or a run's folder. Undefined if no cluster trains it. */
export async function clusterTrialOf(
  { store }: Pick<Services, 'store'>,
  argument: unknown,
): Promise<ClusterTrialEntry | undefined> {
  const isTrial = isTreeNode(argument) && argument.kind === 'trial';
  const folder = typeof argument === 'string' ? argument : runFolderOf(argument);
  const run = folder === undefined ? undefined : store.run(folder);
  const [of, id] = isTrial
    ? [argument.folder, argument.trial]
    : [run && sweepFolderOf(run), run?.trial?.trial];
  const experiment = (await store.experiments()).find((e) => e.sweeps.some((s) => s.folder === of));
  const sweep = experiment?.sweeps.find((s) => s.folder === of);
  const record = sweep?.record.trials.find((trial) => trial.id === id);
  const said = record && sweep?.cluster && own(sweep.cluster.trials, record.id);
  if (!experiment || !said) return undefined;
  const label = trialLabel(
    sweep,
    record,
    experiment.runs.find((r) => r.id === record.run),
  );
  return { sweep, record, label, cluster: { executor: sweep.cluster!.executor, ...said } };
}

/** Takes it out of the cluster's queue, or asks it to save and end. */
export async function stopTrial(
  { store, trainer }: Services,
  { sweep, record, label, cluster }: ClusterTrialEntry,
): Promise<void> {
  if (sweep.state === 'running') requestCancel(sweep.folder, [record.number]);
  else
    await starting(t('Stopping {0} on {1}', label, executorName(cluster.executor)), () =>
      trainer.cancelTrials(sweep.experiment, [record.number]),
    );
  await store.refresh();
  void notify.information(
    cluster.state === 'running'
      ? t('{0} was asked to stop: it saves, and its job ends.', label)
      : t('{0} is taken out of the queue.', label),
  );
}

/**
 * Submits it again: it continues from its last checkpoint. Only the command that follows the whole sweep can do that.
 */
export async function resumeTrial({ sweep, record, label, cluster }: ClusterTrialEntry): Promise<void> {
  if (sweep.state !== 'running') {
    const whole = t('Continue Sweep');
    const picked = await notify.information(
      t('Continue the whole sweep of {0} to resume {1}?', experimentName(sweep.experiment), label),
      {
        modal: true,
        detail: t(
          'No process is following this sweep. All of its trials that have not ended will be submitted to {0}, including those that were stopped.',
          executorName(cluster.executor),
        ),
      },
      whole,
    );
    if (picked !== whole) return;
    const node: SweepNode = { kind: 'sweep', folder: sweep.folder };
    await vscode.commands.executeCommand(COMMAND.runSweep, node);
    return;
  }
  requestResume(sweep.folder, [record.number]);
  const message = t('{0} will be submitted to {1} again.', label, executorName(cluster.executor));
  void notify.information(message);
}
