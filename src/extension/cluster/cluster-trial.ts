import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { own } from '../../base/names';
import { executorName } from '../../experiment/cluster';
import { claimOfSweep } from '../../runs/claim-folder';
import { experimentName } from '../../runs/layout';
import { runLabel } from '../../runs/run-labels';
import { requestCancel, requestResume } from '../../runs/sweep/cancel';
import type { TrialRecord } from '../../runs/sweep/record';
import { starting } from '../ask/starting';
import { COMMAND } from '../ids';
import { clusterEnvironment } from '../launcher/environment';
import { programError } from '../../executors/local/program';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';
import { trialLabel } from '../runs/label';
import { type ClaimNode, isTreeNode, runFolderOf, type SweepNode } from '../runs/nodes';
import type { OnCluster, RunEntry, SweepEntry } from '../runs/store';
import { sweepFolderOf } from '../runs/sweep-of';
import type { Services } from '../services';
import { clusterName } from '../words/cluster/cluster-words';

/** A trial that a cluster trains, with or without a run. */
interface ClusterTrialEntry {
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
  else if (claimOfSweep(sweep.folder)) {
    void notify.information(
      t('No process is following this claim. Continue it to stop one of its trials, or stop the claim.'),
    );
    return;
  } else
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
    const of = claimOfSweep(sweep.folder);
    const [command, node]: [string, SweepNode | ClaimNode] = of
      ? [COMMAND.continueClaim, { kind: 'claim', folder: of.claim }]
      : [COMMAND.runSweep, { kind: 'sweep', folder: sweep.folder }];
    await vscode.commands.executeCommand(command, node);
    return;
  }
  requestResume(sweep.folder, [record.number]);
  const message = t('{0} will be submitted to {1} again.', label, executorName(cluster.executor));
  void notify.information(message);
}

/** The cluster's log of a trial, or of one that is picked. */
export async function clusterLogFrom(
  services: Services,
  argument: unknown,
): Promise<{ path: string; label: string } | undefined> {
  const trial = argument === undefined ? await picked(services) : await clusterTrialOf(services, argument);
  if (!trial) return undefined;
  const { label, cluster, sweep } = trial;
  const { log } = cluster;
  if (log !== undefined && existsSync(log)) return { path: log, label };
  void notify.information(
    log === undefined
      ? t('{0} has no log of {1} yet: it has not been started.', label, clusterName(sweep.cluster!))
      : t('The log {0} is not here yet: it is brought with the files of its run.', log),
  );
  return undefined;
}

async function picked({ store }: Services): Promise<ClusterTrialEntry | undefined> {
  const sweeps = (await store.experiments()).flatMap(({ sweeps, runs }) =>
    sweeps.map((sweep) => ({ sweep, byId: new Map(runs.map((run) => [run.id, run])) })),
  );
  const items = sweeps.flatMap(({ sweep, byId }) =>
    sweep.record.trials.flatMap((record) => {
      const said = sweep.cluster?.trials[record.id];
      if (said?.log === undefined) return [];
      const label = trialLabel(sweep, record, record.run === undefined ? undefined : byId.get(record.run));
      const cluster = { executor: sweep.cluster!.executor, ...said };
      return [{ label, description: said.job, trial: { sweep, record, label, cluster } }];
    }),
  );
  if (items.length === 0) void notify.information(t('No trial in this workspace has a log of a cluster.'));
  if (items.length < 2) return items[0]?.trial;
  const title = t('Select a trial to show its log');
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true, matchOnDescription: true }))
    ?.trial;
}

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
