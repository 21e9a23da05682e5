import { AuroraError } from '../../base/errors';
import { type Claim, combinations, completeClaim, writtenSides } from '../../experiment/claim';
import type { ClusterSettings } from '../../experiment/cluster';
import type { Experiment } from '../../experiment/experiment';
import { isNonlinear } from '../../experiment/methods';
import { SEED, type Settings, type SweepSpec } from '../../experiment/sweep';
import { type LookPlan, looksAt } from '../../study/claim/look-plan';
import type { ClaimPhase } from '../claim-folder';
import type { Problem } from './experiment-text';
import { mistakes, type ValidExperiment } from './load';
import { makeTrials, ofTrials, type Sweep } from './sweep-trials';

/** The claim of an experiment file, and everything that its trials are made of. */
export interface PlannedClaim {
  file: string;
  claim: Claim;
  looks: LookPlan[];
  experiment: Experiment;
  /** The experiment of each method, before anything is searched. */
  specs: Experiment[];
  /** The file's content without its sections on sweeps, claims and clusters, and without defaults. */
  raw: Record<string, unknown>;
  cluster?: ClusterSettings;
}

/**
 * The claim that an experiment describes, with the trials of each method checked.
 *
 * @throws AuroraError 'experiment' if it has none, or a method has a mistake
 */
export function claimOf(checked: ValidExperiment): PlannedClaim {
  const { doc, experiment, claim: spec, cluster } = checked;
  if (!spec)
    throw new AuroraError(
      'experiment',
      `${doc.file} has no "claim" section.`,
      'Add one, such as "claim": { "relation": "better", "first": {}, "than": { "adapter": { "method": "lora", "rank": 2 } }, "by": 0.01 }.',
    );
  const claim = completeClaim(spec, experiment);
  const raw = ofTrials(checked.raw);
  const places = writtenSides(spec);
  const placeOf = (method: number) => [
    'claim',
    ...places[claim.sides.findIndex((side) => side.method === method)]!.path,
  ];
  const values = combinations(claim.search.parameters);
  const problems: Problem[] = [];
  const specs = claim.methods.map((settings, method) => {
    const trials = values.map((chosen) => ({ ...settings, ...chosen }));
    const made = makeTrials(raw, listOf(trials), doc.file);
    problems.push(
      ...made.problems.map(({ message }) => ({ path: placeOf(method), message: withoutTrial(message) })),
    );
    return made.trials[0]?.spec;
  });
  claim.sides.forEach(({ method, form }, i) => {
    const spec = specs[method];
    if (form === 'fitted' && spec && !isNonlinear(spec.adapter))
      problems.push({
        path: ['claim', ...places[i]!.path, 'form'],
        message: 'form is "fitted", but this method has no σ that a linear fit could replace',
      });
  });
  if (problems.length > 0) throw mistakes(checked, problems);
  return {
    file: doc.file,
    claim,
    looks: looksAt(spec.looks),
    experiment,
    specs: specs.map((s) => s!),
    raw,
    cluster,
  };
}

/** The message of `makeTrials` without the number of the trial. */
const withoutTrial = (message: string): string => message.replace(/^trial \d+ \((.*?)\): /, '$1: ');

/**
 * The trials of a phase as a sweep.
 *
 * @param name of the sweep's folder
 * @returns undefined if a setting is out of its range in one of them
 */
export function claimSweep(
  { claim, experiment, raw, file, cluster }: PlannedClaim,
  phase: ClaimPhase,
  name: string,
  settings: readonly Settings[],
): Sweep | undefined {
  const spec = { ...listOf(settings), metric: claim.metric };
  const { trials, problems } = makeTrials(phase === 'search' ? searched(raw, claim) : raw, spec, file);
  if (problems.length > 0) return undefined;
  const base = { ...experiment, name: `${experiment.name}, claim (${phase})` };
  return { spec, base, baseHash: name, trials, cluster };
}

const listOf = (trials: readonly Settings[]): SweepSpec => ({ type: 'list', trials: [...trials], seed: 1 });

/** The experiment that settings are searched with: nothing is chosen on the examples that the claim is tested on. */
function searched(raw: Record<string, unknown>, { on }: Claim): Record<string, unknown> {
  const data = { ...(raw.data as Record<string, unknown>) };
  delete data.test;
  delete data.evaluations;
  // A share of the training data is held out in its place.
  if (on === 'validation') delete data.validation;
  return { ...raw, data };
}

/** A trial's settings: those of its method, those that were searched, and its seed. */
export const trialSettings = (method: Settings, values: Settings, seed: number): Settings => ({
  ...method,
  ...values,
  [SEED]: seed,
});
