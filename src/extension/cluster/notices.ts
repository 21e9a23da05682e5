import * as vscode from 'vscode';
import { COMMAND } from '../ids';
import { sweepEnded } from '../notices/end-notice';
import type { ExperimentEntry, SweepEntry } from '../runs/store';
import type { Services } from '../services';
import { unreachableText } from '../words/cluster/cluster-words';
import { lossText } from '../words/cluster/loss-text';
import { ClusterWatch } from './watch';

/** Losses that come within this time are shown together, and say whether the trials were submitted again. */
const TOGETHER_MS = 3000;

/** Shows a notification when a cluster loses a trial, stops answering, or has trials that nobody follows. */
export function registerClusterNotices(services: Services): vscode.Disposable {
  const { store, log } = services;
  const watch = new ClusterWatch(Date.now());
  const losses = new Map<string, { ids: Set<string>; timer: NodeJS.Timeout }>();
  const lost = (folder: string, ids: readonly string[]) => {
    const known = losses.get(folder);
    if (known) return ids.forEach((id) => known.ids.add(id));
    const timer = setTimeout(() => {
      const { ids: all } = losses.get(folder)!;
      losses.delete(folder);
      void showLosses(services, folder, [...all]).catch((e: Error) => log.error(e));
    }, TOGETHER_MS);
    losses.set(folder, { ids: new Set(ids), timer });
  };
  const look = async () => {
    for (const experiment of await store.experiments())
      for (const sweep of experiment.sweeps) {
        const news = watch.note(sweep);
        if (!news) continue;
        if (news.lost.length > 0) lost(sweep.folder, news.lost);
        if (news.unreachable) void showUnreachable(services, sweep);
        if (news.unfollowed) void sweepEnded(services, sweep, experiment.runs);
      }
  };
  // A change of cluster.json is one of the structure.
  const changed = store.onDidChange((runs) => {
    if (!runs) void look().catch((e: Error) => log.error(e));
  });
  return vscode.Disposable.from(changed, {
    dispose: () => losses.forEach(({ timer }) => clearTimeout(timer)),
  });
}

async function showLosses(services: Services, folder: string, ids: readonly string[]): Promise<void> {
  const sweep = sweepIn(await services.store.experiments(), folder);
  const message = sweep && lossText(sweep, ids, vscode.l10n.t);
  if (message === undefined) return;
  const [open, log] = [vscode.l10n.t('Open Sweep'), vscode.l10n.t('Show Cluster Log')];
  const buttons = [...(ids.length === 1 ? [log] : []), open];
  const picked = await vscode.window.showWarningMessage(message, ...buttons);
  if (picked === open) services.panels.openSweep(folder);
  if (picked === log)
    await vscode.commands.executeCommand(COMMAND.showClusterLog, { kind: 'trial', folder, trial: ids[0] });
}

async function showUnreachable({ panels }: Services, { cluster, folder }: SweepEntry): Promise<void> {
  const { t } = vscode.l10n;
  const open = t('Open Sweep');
  const what = unreachableText(cluster!, t, vscode.env.language);
  const picked = await vscode.window.showWarningMessage(
    `${what} ${t('Nothing is lost; it is asked again until it answers.')}`,
    open,
  );
  if (picked === open) panels.openSweep(folder);
}

const sweepIn = (experiments: readonly ExperimentEntry[], folder: string): SweepEntry | undefined =>
  experiments.flatMap((e) => e.sweeps).find((s) => s.folder === folder);
