import { bestOf, type TrialView } from '../../../runs/sweep/look';
import type { SweepRecord } from '../../../runs/sweep/record';
import type { TrialNames } from '../../../runs/sweep/trial-names';
import type { SweepOutcome } from '../../../sweeps/sweep-queue';
import { ranked, type SweepView } from './sweep-progress';

/** For programs: a JSON line for the plan, for each change to a trial, and for the end. */
export class SweepJson implements SweepView {
  private readonly told = new Map<string, string>();

  private record!: SweepRecord;

  constructor(private readonly names: TrialNames) {}

  begin(record: SweepRecord): void {
    this.record = record;
  }

  plan(): void {
    const { name, metric, varied, room, spec, trials, on } = this.record;
    const planned = trials
      .filter((t) => t.planned)
      .map(({ id, number, settings }) => ({ id, number, settings }));
    this.tell({ kind: 'plan', name, type: spec.type, metric, varied, on, room, trials: planned });
  }

  looked(trials: readonly TrialView[]): void {
    for (const trial of trials) {
      const value = this.trial(trial);
      const line = JSON.stringify(value);
      if (this.told.get(trial.record.id) !== line) this.tell({ kind: 'trial', ...value });
      this.told.set(trial.record.id, line);
    }
  }

  warn(message: string): void {
    this.tell({ kind: 'warning', message });
  }

  /** cluster.json has it. */
  sending(): void {}

  end({ metric }: SweepRecord, { stopped, trials, elsewhere }: SweepOutcome): void {
    const order = ranked(trials, metric).map((t) => t.record.number);
    const owned = [...elsewhere].map(([id, { pid, host }]) => ({ id, pid, host }));
    this.tell({
      kind: 'end',
      stopped: stopped ?? null,
      ranked: order,
      ...(owned.length && { elsewhere: owned }),
    });
  }

  private trial(trial: TrialView) {
    const { record, state, reason, step, steps, folder, error, evaluations, cluster } = trial;
    const best = bestOf(trial, this.record.metric);
    const { id, number } = record;
    // Also for a trial that was pruned because its evaluation diverged.
    const diverged = trial.diverged ?? evaluations.at(-1)?.kind === 'diverged-evaluation';
    return {
      id,
      number,
      run: this.names.number(record),
      state,
      reason,
      step,
      steps,
      // For a diverged trial, the best before it diverged.
      best: best && { step: best.step, ...best.metrics },
      ...(diverged && { diverged }),
      folder,
      error,
      cluster,
    };
  }

  private tell(value: object): void {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}
