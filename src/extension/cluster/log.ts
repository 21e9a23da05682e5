import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { clusterName } from '../words/cluster/cluster-words';
import { trialLabel } from '../runs/label';
import type { Services } from '../services';
import { clusterTrialOf, type ClusterTrialEntry } from './trial';
import { notify } from '../messages/notify';

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
