import { bestFirst, type MetricName, metricValue, score } from '../experiment/metrics';
import { type Pruning } from '../experiment/sweep';
import { bestBy, type AnyEvaluation } from '../protocol/evaluations';
import type { TrialView } from '../runs/sweep/look';

/** A trial's next action, as far as it is known. */
export type Verdict =
  /** Train it to its end or to the next comparison. */
  | { kind: 'go'; until?: string }
  /** It is at a comparison that other trials have not reached yet. */
  | { kind: 'wait' }
  /** It lost a comparison, or its learning rate did before it was started. */
  | { kind: 'prune' }
  /** It has finished or failed. */
  | { kind: 'over' };

/**
 * Successive halving (Jamieson & Talwalkar, "Non-stochastic best arm identification", AISTATS 2016): all trials are
 * trained to a first comparison, one in `eta` continues to the next, `eta` times as far, until one is left. A
 * comparison waits for all its trials, so its outcome depends only on their evaluations, not on their order, the
 * machine, or kills in between.
 *
 * @param trials of the plan
 * @returns the verdict on each trial, by id
 */
export function decide(
  trials: readonly TrialView[],
  pruning: Pruning | undefined,
  metric: MetricName,
): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  const say = (some: readonly TrialView[], verdict: Verdict) => {
    for (const t of some) verdicts.set(t.record.id, isOver(t) ? { kind: 'over' } : verdict);
  };
  let left = trials;
  for (let at = pruning && firstComparison(pruning); at; at = { ...at, value: at.value * pruning!.eta }) {
    if (left.length < 2 || left.every(isOver)) break;
    const { value, unit } = at;
    const [there, before] = halves(left, (t) => isOver(t) || toComparison(t, at!) !== undefined);
    if (before.length > 0) {
      say(there, { kind: 'wait' });
      say(before, { kind: 'go', until: `${unit}:${value}` });
      return verdicts;
    }
    const ranked = [...left].sort(
      (a, b) => bestFirst(rank(a, at!, metric), rank(b, at!, metric)) || a.record.number - b.record.number,
    );
    const kept = Math.max(1, Math.floor(left.length / pruning!.eta));
    say(ranked.slice(kept), { kind: 'prune' });
    left = ranked.slice(0, kept);
  }
  say(left, { kind: 'go' });
  return verdicts;
}

interface Comparison {
  value: number;
  unit: 'epoch' | 'step';
}

const firstComparison = ({ minEpochs, minSteps }: Pruning): Comparison =>
  minSteps === undefined ? { value: minEpochs!, unit: 'epoch' } : { value: minSteps, unit: 'step' };

export const isOver = ({ state }: TrialView): boolean => state === 'finished' || state === 'failed';

/**
 * A trial's evaluations up to a comparison, which takes place at the first one from there on. Undefined before that.
 */
function toComparison({ evaluations }: TrialView, { value, unit }: Comparison): AnyEvaluation[] | undefined {
  const at = evaluations.findIndex((e) => e[unit] >= value);
  return at < 0 ? undefined : evaluations.slice(0, at + 1);
}

/**
 * Larger is better. A trial that failed, has diverged by now, or measured nothing, loses; one that ended earlier counts
 * with its end.
 */
function rank(trial: TrialView, at: Comparison, metric: MetricName): number {
  const evaluations = toComparison(trial, at) ?? trial.evaluations;
  if (trial.state === 'failed' || evaluations.at(-1)?.kind === 'diverged-evaluation') return -Infinity;
  const best = bestBy(metric, evaluations);
  return best ? score(metric, metricValue(best.metrics, metric)) : -Infinity;
}

function halves<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}
