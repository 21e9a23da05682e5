import type { SweepEntry } from '../runs/store';
import { isUnfollowed } from '../words/cluster/cluster-words';

/** News about a sweep on a cluster that a user must hear in any view. */
export interface ClusterNews {
  /** Ids of the trials that the scheduler lost since the last look. */
  lost: string[];
  /** It has just stopped answering. */
  unreachable: boolean;
  /** Found with trials in the queue that nobody follows. */
  unfollowed: boolean;
}

interface Seen {
  lost: Map<string, number>;
  unreachable: number | undefined;
}

/** Finds news about the sweeps of a window, each once. */
export class ClusterWatch {
  private readonly seen = new Map<string, Seen>();

  /** @param from losses from before are not news: the tree shows them; ms since 1970 */
  constructor(private readonly from: number) {}

  /** Times in the future, as in a folder from elsewhere, are not news either. */
  note(sweep: SweepEntry, now = Date.now()): ClusterNews | undefined {
    const { cluster, folder } = sweep;
    if (!cluster) return undefined;
    const before = this.seen.get(folder);
    const lost = new Map<string, number>();
    const news: string[] = [];
    for (const [id, trial] of Object.entries(cluster.trials)) {
      if (!trial.lost) continue;
      const { times, at } = trial.lost;
      lost.set(id, times);
      if (at > now) continue;
      const known = before ? (before.lost.get(id) ?? 0) : at >= this.from ? 0 : times;
      if (times > known) news.push(id);
    }
    const since = cluster.unreachable?.since;
    this.seen.set(folder, { lost, unreachable: since });
    const found = {
      lost: news,
      unreachable: since !== undefined && since <= now && since !== before?.unreachable,
      unfollowed: before === undefined && isUnfollowed(sweep),
    };
    return found.lost.length > 0 || found.unreachable || found.unfollowed ? found : undefined;
  }
}
