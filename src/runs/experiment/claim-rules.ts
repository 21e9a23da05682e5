import type { JSONPath } from 'jsonc-parser';
import { sortedJson } from '../../base/sorted-json';
import { areLooks, type Claim, type ClaimSpec, combinations, writtenSides } from '../../experiment/claim';
import type { Experiment } from '../../experiment/experiment';
import { SEED } from '../../experiment/sweep';
import { metricProblems } from './experiment-rules';
import type { Problem } from './experiment-text';
import { prototypeProblem } from './overrides';

/** More trials than anyone searches with. */
const MOST_SEARCHED = 1000;

/** Rules for a claim that the schema cannot express, apart from its trials. */
export function claimRuleProblems(claim: Claim, written: ClaimSpec, experiment: Experiment): Problem[] {
  const { search } = claim;
  const trials = combinations(search.parameters).length * search.seeds * claim.methods.length;
  return [
    ...(written.metric ? metricProblems(['claim', 'metric'], written.metric, experiment.task) : []),
    ...examplesProblems(claim, experiment),
    ...sideProblems(claim, written),
    ...settingProblems(Object.keys(search.parameters), ['claim', 'search', 'parameters']),
    ...(areLooks(written.looks)
      ? []
      : [problem(['looks'], `claim.looks is [${written.looks.join(', ')}], expected numbers that ascend`)]),
    ...(trials > MOST_SEARCHED
      ? [problem(['search'], `the search has ${trials} trials, more than ${MOST_SEARCHED}`)]
      : []),
  ];
}

/** The examples that decide must be the same for all runs, and nothing may have been chosen on them. */
function examplesProblems({ on, sides }: Claim, { data, training }: Experiment): Problem[] {
  if (on === 'validation' && data.validation === undefined)
    return [
      problem(
        [],
        'a claim needs examples that are the same for all seeds, and data has no validation file: add data.validation or data.test',
      ),
    ];
  if (on !== 'validation' && data[on] === undefined)
    return [problem(['on'], `claim.on is "${on}", but there is no data.${on}`)];
  if (on === 'validation' && training.earlyStopping)
    return [
      problem(
        [],
        'training.earlyStopping chooses the last step on the validation data, which are those that the claim is tested on: remove it, or add data.test',
      ),
    ];
  if (on === 'evaluations' && sides.some(({ form }) => form === 'fitted'))
    return [
      problem(['on'], 'the fitted form is not measured on data.evaluations: use "test" or "validation"'),
    ];
  return [];
}

function sideProblems({ methods, sides, search }: Claim, written: ClaimSpec): Problem[] {
  const seen = new Map<string, JSONPath>();
  const places = writtenSides(written);
  return sides.flatMap((side, i) => {
    const { path } = places[i]!;
    const twin = seen.get(sortedJson(side));
    seen.set(sortedJson(side), path);
    const keys = Object.keys(methods[side.method]!);
    return [
      ...settingProblems(keys, ['claim', ...path]),
      ...keys.flatMap((key) => {
        const searched = Object.keys(search.parameters).find((other) => overlap(key, other));
        return searched === undefined
          ? []
          : [
              problem(
                [...path, key],
                `${key} is set here, and the search varies ${searched}: remove one of them`,
              ),
            ];
      }),
      ...(twin ? [problem(path, `claim.${path.join('.')} is the same as claim.${twin.join('.')}`)] : []),
    ];
  });
}

/** True if one key names the other's section, or both are the same. */
const overlap = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

/** Settings of a model's weights, its task and its data are the same on both sides. */
function settingProblems(keys: readonly string[], path: JSONPath): Problem[] {
  return keys.flatMap((key) => {
    const wrong =
      prototypeProblem(key.split('.')) ??
      (key === SEED
        ? `${SEED} is set by the claim, so that the test uses other seeds than the search`
        : /^(adapter|training)(\.|$)|^model\.quantize$/.test(key)
          ? undefined
          : /^(model|task|data)(\.|$)/.test(key)
            ? `${key} would compare results on another model, task or data set`
            : `${key} is not a setting of a claim`);
    return wrong === undefined ? [] : [{ path: [...path, key], message: wrong, atKey: true as const }];
  });
}

const problem = (path: JSONPath, message: string): Problem => ({ path: ['claim', ...path], message });
