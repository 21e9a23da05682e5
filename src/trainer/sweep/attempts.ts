import { isBusy, type TrialView } from '../../runs/sweep/look';

/** A trainer that ends unexpectedly this often without a step has a cause that a restart will not fix. */
const IN_VAIN = 3;

interface Attempt {
  /** The step at which it was last started. */
  step: number;
  /** Starts since the last completed step. */
  inVain: number;
}

/** What this process has started, to avoid restarting what would only end the same way. */
export class Attempts {
  private readonly begun = new Map<string, Attempt>();

  /** @param acceptInputs whether to continue trials that were stopped because their files changed */
  constructor(
    private readonly retryFailed: boolean,
    private readonly acceptInputs: boolean,
  ) {}

  /** A trial as the queue should see it: a failed one may be retried once, and one that will not run has failed. */
  seen(trial: TrialView): TrialView {
    const attempt = this.begun.get(trial.record.id);
    const again = this.retryFailed || (this.acceptInputs && trial.error?.error === 'inputs');
    if (trial.state === 'failed' && again && !attempt) return { ...trial, state: 'stopped' };
    if (!attempt || isBusy(trial) || !isGone(trial) || trial.step > attempt.step || attempt.inVain < IN_VAIN)
      return trial;
    const message = `Its trainer ended unexpectedly ${IN_VAIN} times at step ${trial.step}.`;
    const hint = trial.folder === undefined ? undefined : `See its log in ${trial.folder}.`;
    return { ...trial, state: 'failed', error: { message, hint } };
  }

  /** False for one that was stopped while this queue ran: that was intended. */
  mayLaunch(trial: TrialView): boolean {
    return !(this.begun.has(trial.record.id) && trial.state === 'stopped' && isByHand(trial));
  }

  launched({ record, step }: TrialView): void {
    const before = this.begun.get(record.id);
    const inVain = before && before.step === step ? before.inVain + 1 : 1;
    this.begun.set(record.id, { step, inVain });
  }
}

const isGone = ({ state }: TrialView): boolean => state === 'lost' || state === 'waiting';

const isByHand = ({ reason }: TrialView): boolean => reason !== 'rung' && reason !== 'pruned';
