import type { ClusterTrialState } from '../../protocol/run-files/cluster';
import type { SweepNode, TrialNode, TrialsNode } from '../runs/nodes';
import type { RunEntry, SweepEntry } from '../runs/store';
import { clusterLines, trialLines } from '../words/cluster/cluster-words';
import { rowContext } from '../words/row-context';
import type { Row, RowContext } from '../words/run-row';
import { trialRow, trialsRow, trialsWithoutRun, type QueuedTrial } from '../words/cluster/trial-row';
import { GONE_SWEEP } from './experiment-row';

/** Rows of single trials; the sweep's page shows all. */
const MOST = 200;

interface Known {
  sweep: SweepEntry;
  runs: number;
  groups: Map<ClusterTrialState, QueuedTrial[]>;
  byId: Map<string, QueuedTrial>;
}

/** The rows below a sweep on a cluster of its trials without a run: one for each state, with the trials below it. */
export class TrialRows {
  private readonly known = new Map<string, Known>();

  /** @param find a sweep by its folder, and the runs of its experiment */
  constructor(
    private readonly find: (folder: string) => { sweep: SweepEntry; runs: readonly RunEntry[] } | undefined,
  ) {}

  groups(folder: string): TrialsNode[] {
    return [...this.of(folder).groups.keys()].map((state) => ({ kind: 'trials', folder, state }));
  }

  below({ folder, state }: TrialsNode): TrialNode[] {
    return (this.of(folder).groups.get(state) ?? [])
      .slice(0, MOST)
      .map(({ record }) => ({ kind: 'trial', folder, trial: record.id }));
  }

  groupOf({ folder, trial }: TrialNode): TrialsNode | undefined {
    const found = this.of(folder).byId.get(trial);
    return found && { kind: 'trials', folder, state: found.cluster.state };
  }

  row(node: TrialsNode | TrialNode, context: RowContext): Row {
    const { groups, byId } = this.of(node.folder);
    if (node.kind === 'trial') {
      const trial = byId.get(node.trial);
      return trial ? trialRow(trial, context) : GONE_SWEEP;
    }
    const trials = groups.get(node.state) ?? [];
    return trialsRow(node.state, trials, Math.min(trials.length, MOST));
  }

  tooltip(node: SweepNode | TrialNode): string {
    if (node.kind === 'trial') {
      const trial = this.of(node.folder).byId.get(node.trial);
      return trial ? trialLines(trial.cluster).join('\n') : '';
    }
    const { cluster } = this.find(node.folder)?.sweep ?? {};
    return [node.folder, ...(cluster ? clusterLines(cluster, rowContext()) : [])].join('\n');
  }

  /** Thousands of trials are grouped once, not for each of their rows. */
  private of(folder: string): Omit<Known, 'sweep' | 'runs'> {
    const found = this.find(folder);
    if (!found) return { groups: new Map(), byId: new Map() };
    const { sweep, runs } = found;
    const known = this.known.get(folder);
    if (known?.sweep === sweep && known.runs === runs.length) return known;
    const groups = trialsWithoutRun(sweep, runs);
    const byId = new Map([...groups.values()].flat().map((trial) => [trial.record.id, trial]));
    const fresh = { sweep, runs: runs.length, groups, byId };
    this.known.set(folder, fresh);
    return fresh;
  }
}
