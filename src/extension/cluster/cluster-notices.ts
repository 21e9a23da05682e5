import * as vscode from 'vscode';
import { sweepEnded } from '../notices/end-notice';
import type { Services } from '../services';
import { ClusterWatch } from './cluster-watch';

/** Losses that come within this time are shown together, and state if the trials were submitted again. */
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
      void import('./tell')
        .then(({ tellLosses }) => tellLosses(services, folder, [...all]))
        .catch((e: Error) => log.error(e));
    }, TOGETHER_MS);
    losses.set(folder, { ids: new Set(ids), timer });
  };
  const look = async () => {
    for (const experiment of await store.experiments())
      for (const sweep of experiment.sweeps) {
        const news = watch.note(sweep);
        if (!news) continue;
        if (news.lost.length > 0) lost(sweep.folder, news.lost);
        if (news.unreachable) void (await import('./tell')).tellUnreachable(services, sweep);
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
