import { append } from '../base/gathered';
import { bestFirst, type MetricName, metricValue, score } from '../experiment/metrics';
import { type Pruning, RATE, type RateSearch, searchKey, SEED } from '../experiment/sweep';
import { type AnyEvaluation, bestBy } from '../protocol/evaluations';
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

/**
 * A learning-rate search at the same cost for all: trials that differ only in learning rate and seed form one search.
 * All its rates are trained with the first seeds, and only the best rate with the others: by the mean of the last
 * evaluations, as a study chooses (docs/study.md). The outcome depends only on evaluations, as for `decide`.
 *
 * @param trials of the plan
 * @returns the verdict on each trial, by id
 */
export function decideRates(
  trials: readonly TrialView[],
  { seeds }: RateSearch,
  metric: MetricName,
): Map<string, Verdict> {
  return new Map(searchesOf(trials).flatMap((search) => decideOne(search, seeds, metric)));
}

/**
 * All trials of each finished search without a best rate, because every rate had a run that diverged or failed. The
 * trials with other seeds are not started.
 */
export const undecided = (
  trials: readonly TrialView[],
  { seeds }: RateSearch,
  metric: MetricName,
): TrialView[][] => searchesOf(trials).filter((search) => bestOf(search, seeds, metric).best === 'none');

function searchesOf(trials: readonly TrialView[]): TrialView[][] {
  const searches = new Map<string, TrialView[]>();
  for (const t of trials) {
    const key = searchKey(t.record.settings);
    append(searches, key, t);
  }
  return [...searches.values()];
}

function decideOne(search: readonly TrialView[], seeds: number, metric: MetricName): [string, Verdict][] {
  const { first, best } = bestOf(search, seeds, metric);
  return search.map((t): [string, Verdict] => {
    if (isOver(t)) return [t.record.id, { kind: 'over' }];
    if (first.has(seedOf(t)) || rateOf(t) === best) return [t.record.id, { kind: 'go' }];
    return [t.record.id, { kind: best === undefined ? 'wait' : 'prune' }];
  });
}

/** The seeds with which all rates are trained, and the best rate; undefined while the search is running. */
function bestOf(
  search: readonly TrialView[],
  seeds: number,
  metric: MetricName,
): { first: ReadonlySet<number>; best: number | 'none' | undefined } {
  const byNumber = [...search].sort((a, b) => a.record.number - b.record.number);
  const first = new Set([...new Set(byNumber.map(seedOf))].slice(0, seeds));
  const searched = search.filter((t) => first.has(seedOf(t)));
  return { first, best: searched.every(isOver) ? bestRate(searched, metric) : undefined };
}

/** The lowest of equal rates; one that failed, diverged or measured nothing is never chosen. */
function bestRate(searched: readonly TrialView[], metric: MetricName): number | 'none' {
  const rates = [...new Set(searched.map(rateOf))].sort((a, b) => a - b);
  const mean = (rate: number) => {
    const values = searched.filter((t) => rateOf(t) === rate).map((t) => valueOf(t, metric));
    return values.reduce((sum, v) => sum + v, 0) / values.length;
  };
  const best = rates.reduce((best, rate) => (mean(rate) > mean(best) ? rate : best));
  return mean(best) === -Infinity ? 'none' : best;
}

function valueOf({ state, evaluations }: TrialView, metric: MetricName): number {
  const last = evaluations.at(-1);
  return state === 'failed' || last?.kind !== 'evaluation'
    ? -Infinity
    : score(metric, metricValue(last.metrics, metric));
}

const rateOf = ({ record }: TrialView): number => record.settings[RATE] as number;
const seedOf = ({ record }: TrialView): number => record.settings[SEED] as number;
