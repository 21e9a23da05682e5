import { clusterReason } from '../protocol/cluster-reasons';
import { endReason, isExplained } from '../protocol/run-files/unexpected-end';
import { isBusy, type TrialView } from '../runs/sweep/look';

/** A trainer that ends unexpectedly this often without a step has a cause that a restart will not fix. */
const IN_VAIN = 3;

interface Attempt {
  /** The step at which it was last started. */
  step: number;
  /** Starts since the last completed step. */
  inVain: number;
}

/**
 * The trials that were started, to avoid restarting one that would only end the same way. A cluster's state has those
 * that other processes have started in vain.
 */
export class Attempts {
  private readonly begun = new Map<string, Attempt>();
  /** Trials that were queued or trained while this process watched. */
  private readonly watched = new Set<string>();
  private readonly cancelled = new Set<string>();
  /** Trials that the user wants after all, until they are started. */
  private readonly resumed = new Set<string>();
  /** Trials that the user wants to be tried again, whatever became of them before. */
  private readonly fresh = new Set<string>();

  /** @param acceptInputs true to continue trials that were stopped because their files changed */
  constructor(
    private readonly retryFailed: boolean,
    private readonly acceptInputs: boolean,
  ) {}

  /** A trial as the queue should see it: a failed one may be retried once, and one that will not run has failed. */
  seen(trial: TrialView): TrialView {
    const { id } = trial.record;
    const attempt = this.begun.get(id);
    if (isBusy(trial)) this.watched.add(id);
    const again = this.retryFailed || (this.acceptInputs && trial.error?.error === 'inputs');
    if (this.retryFailed && !attempt) this.fresh.add(id);
    if (trial.state === 'failed' && again && !attempt) return { ...trial, state: 'stopped' };
    if (isBusy(trial) || !isGone(trial) || this.inVain(trial) < IN_VAIN) return trial;
    return { ...trial, state: 'failed', error: failure(trial) };
  }

  /** Starts since its last completed step. */
  private inVain({ record, step, cluster }: TrialView): number {
    const attempt = this.begun.get(record.id);
    const here = attempt && step <= attempt.step ? attempt.inVain : 0;
    const lost = this.fresh.has(record.id) ? undefined : cluster?.lost?.inVain;
    return Math.max(here, lost?.step === step ? lost.times : 0);
  }

  /** False for one that was stopped while this queue ran: that was intended. */
  mayLaunch(trial: TrialView): boolean {
    const { id } = trial.record;
    if (this.resumed.has(id)) return true;
    if (this.cancelled.has(id)) return false;
    return !((this.begun.has(id) || this.watched.has(id)) && trial.state === 'stopped' && isByHand(trial));
  }

  launched({ record, step }: TrialView): void {
    const before = this.begun.get(record.id);
    const inVain = before && before.step === step ? before.inVain + 1 : 1;
    this.begun.set(record.id, { step, inVain });
    this.resumed.delete(record.id);
  }

  /** This process does not start it any more. */
  cancel({ record }: TrialView): void {
    this.cancelled.add(record.id);
    this.resumed.delete(record.id);
  }

  /** It is started again once it has ended, however it was stopped. */
  resume({ record }: TrialView): void {
    this.cancelled.delete(record.id);
    this.begun.delete(record.id);
    this.fresh.add(record.id);
    this.resumed.add(record.id);
  }

  isCancelled({ record }: TrialView): boolean {
    return this.cancelled.has(record.id);
  }
}

/** A cluster's scheduler may also end one that has saved, and not start it again. */
const isGone = ({ state, reason }: TrialView): boolean =>
  state === 'lost' || state === 'waiting' || (state === 'stopped' && reason === 'preempted');

const isByHand = ({ reason }: TrialView): boolean =>
  reason !== 'rung' && reason !== 'pruned' && reason !== 'preempted';

function failure({ step, folder, cluster, end }: TrialView): NonNullable<TrialView['error']> {
  const why = cluster ? clusterReason(cluster) : end && isExplained(end) ? endReason(end) : undefined;
  const log = cluster?.log === undefined ? undefined : `See its log, ${cluster.log}.`;
  return {
    message: `Its trainer ended unexpectedly ${IN_VAIN} times at step ${step}${why === undefined ? '' : `: ${why}`}.`,
    hint: log ?? (folder === undefined ? undefined : `See its log in ${folder}.`),
  };
}
