import type { Claim } from '../../experiment/claim';
import type { Certificate, Look } from '../../study/claim/certificate';
import type { LookPlan } from '../../study/claim/look-plan';
import { needed } from '../../study/claim/needed';
import { generalizes } from '../../study/claim/pseudo-values';
import { levelFor, look, type TestedRun, verdictOf } from '../../study/claim/verdict';

/** The runs of a method by seed, each by form. */
export type TestedMethod = Map<number, Partial<Record<'trained' | 'fitted', TestedRun>> | 'diverged'>;

/** The forms in which each method is measured. */
export const testedForms = ({ methods, sides }: Claim): ReadonlySet<'trained' | 'fitted'>[] =>
  methods.map((_, method) => new Set(sides.filter((s) => s.method === method).map((s) => s.form)));

/**
 * The verdict after some seeds. With a run that diverged it is open: leaving the run out would favor its method, and there is
 * no number that could stand for it.
 */
export function lookAt(claim: Claim, tested: readonly TestedMethod[], seeds: number[], plan: LookPlan): Look {
  const { metric, sides, of } = claim;
  const runs = runsOf(claim, tested, seeds);
  const base = { seeds: plan.seeds, level: plan.level };
  if (!runs) return { ...base, results: [], verdict: 'open' };
  const levels = levelFor(plan, sides.length - 1, of);
  const results = runs.slice(1).map((than) => look(metric, claim, runs[0], than, plan, levels));
  return { ...base, results, verdict: verdictOf(results, of) };
}

/** The end of a claim: its verdict, whether that holds for other examples too, and what would have decided it. */
export function closing(
  claim: Claim,
  tested: readonly TestedMethod[],
  looks: readonly Look[],
): Pick<Certificate, 'verdict' | 'generalizes' | 'needed'> {
  const last = looks.at(-1)!;
  const { verdict, results } = last;
  const end = {
    verdict,
    generalizes:
      generalizes(claim.metric, examplesOf(tested)) && results.every(({ kind }) => kind === 'crossed'),
  };
  const runs = runsOf(claim, tested, [...tested[0].keys()]);
  if (verdict !== 'open' || !runs) return end;
  const levels = levelFor(last, claim.sides.length - 1, claim.of);
  const all = results.flatMap(({ finding }, i) =>
    finding === 'open' ? [needed(claim.metric, claim, runs[0], runs[i + 1], last, levels)] : [],
  );
  const most = (key: 'seeds' | 'examples') => Math.max(0, ...all.map((one) => one[key] ?? 0)) || undefined;
  const [seeds, examples] = [most('seeds'), most('examples')];
  return seeds === undefined ? end : { ...end, needed: { seeds, ...(examples && { examples }) } };
}

/** Examples of the smallest run that was measured. */
function examplesOf(tested: readonly TestedMethod[]): number {
  const runs = tested.flatMap((bySeed) => [...bySeed.values()]);
  const examples = runs.flatMap((run) =>
    run === 'diverged' ? [] : Object.values(run).map((one) => one.examples),
  );
  return Math.min(...examples);
}

/** The runs of each side, in the order of the seeds; undefined if one of them diverged. */
function runsOf(
  { sides }: Claim,
  tested: readonly TestedMethod[],
  seeds: readonly number[],
): TestedRun[][] | undefined {
  const runs = sides.map(({ method, form }) =>
    seeds.flatMap((seed) => {
      const run = tested[method]!.get(seed);
      return run === undefined || run === 'diverged' ? [] : [run[form]!];
    }),
  );
  return runs.every((all) => all.length === seeds.length) ? runs : undefined;
}
