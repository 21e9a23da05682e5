import { rmSync } from 'node:fs';
import { writeAtomic } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import type { ClusterFile, ClusterTrial } from '../../protocol/run-files/cluster';
import { clusterPath, readCluster } from '../../runs/sweep/cluster-file';

/** Readers see that somebody still asks the scheduler, also if nothing changes. */
const REPEAT_MS = 60_000;

/** cluster.json of a sweep: written when it has changed, and once a minute. */
export class StatusFile {
  private written = '';
  private at = -Infinity;
  /** The time of the scheduler's last answer, according to the file that was read, in ms since 1970. */
  seenAt = 0;
  /** By trial id, with the job that it was. */
  private readonly lost = new Map<string, { loss: NonNullable<ClusterTrial['lost']>; job: string }>();

  constructor(private readonly sweep: string) {}

  /** The scheduler's last states, by trial id; empty without a usable file, since it can be asked again. */
  read(): Map<string, ClusterTrial> {
    try {
      const { trials, at } = readCluster(this.sweep) ?? { trials: {}, at: 0 };
      const known = new Map(Object.entries(trials));
      this.seenAt = at;
      for (const [id, { lost, state, job }] of known)
        if (lost) this.lost.set(id, { loss: lost, job: state === 'lost' ? job : '' });
      return known;
    } catch {
      return new Map();
    }
  }

  /** @param steps at which the trials are, by id */
  write({ trials, ...file }: ClusterFile, steps: ReadonlyMap<string, number>): void {
    for (const [id, trial] of Object.entries(trials)) this.count(id, trial, steps.get(id) ?? 0);
    const { at, ...rest } = { ...file, trials: this.withLosses(trials) };
    const content = JSON.stringify(rest);
    if (content === this.written && performance.now() - this.at < REPEAT_MS) return;
    writeAtomic(clusterPath(this.sweep), `${JSON.stringify({ ...rest, at })}\n`, this.sweep);
    this.written = content;
    this.at = performance.now();
  }

  remove(): void {
    requireOwned(this.sweep);
    rmSync(clusterPath(this.sweep), { force: true });
  }

  /** The earlier losses of a trial, by all processes that have written the file. */
  lossOf(id: string): ClusterTrial['lost'] {
    return this.lost.get(id)?.loss;
  }

  private count(id: string, { state, code, node, job }: ClusterTrial, step: number): void {
    const known = this.lost.get(id);
    if (state !== 'lost' || known?.job === job) return;
    const before = known?.loss;
    const again = before?.inVain?.step === step ? before.inVain.times : 0;
    const loss = {
      ...{ times: (before?.times ?? 0) + 1, at: Date.now() },
      code,
      node,
      inVain: { step, times: again + 1 },
    };
    this.lost.set(id, { loss, job });
  }

  /** A lost trial is submitted again within a moment, in which no reader may look: so its loss stays in the file. */
  private withLosses(trials: ClusterFile['trials']): ClusterFile['trials'] {
    return Object.fromEntries(
      Object.entries(trials).map(([id, trial]) => {
        const lost = this.lossOf(id);
        return [id, lost ? { ...trial, lost } : trial];
      }),
    );
  }
}
