import type { JSONPath } from 'jsonc-parser';
import { MOST_TRIALS, RATE, SEED, trialCount, type SweepSpec } from '../../experiment/sweep';
import { prototypeProblem } from './overrides';
import type { Problem } from './experiment-text';

/** The parts of the section that belong to each type. */
const PARTS = {
  grid: ['parameters'],
  random: ['parameters', 'count'],
  list: ['trials'],
} as const satisfies Record<SweepSpec['type'], readonly (keyof SweepSpec)[]>;

/** Most settings in one trial: more than an experiment has. */
const MOST_SETTINGS = 100;

/** Rules for a sweep that the schema cannot express, apart from its trials. */
export function sweepRuleProblems(sweep: SweepSpec): Problem[] {
  // First, since the other checks take time for each trial.
  const many = manyTrials(sweep) ?? manySettings(sweep);
  if (many) return [many];
  const problems = [...partProblems(sweep), ...parameterProblems(sweep)];
  const { pruning } = sweep;
  if (pruning && (pruning.minEpochs === undefined) === (pruning.minSteps === undefined))
    problems.push(
      problem(
        ['pruning'],
        'sweep.pruning needs either minEpochs or minSteps, the point at which trials are first compared',
      ),
    );
  problems.push(...searchProblems(sweep));
  return problems;
}

function manyTrials(sweep: SweepSpec): Problem | undefined {
  const size = trialCount(sweep);
  // NaN for a grid with a range in place of a list, which is reported separately.
  return size > MOST_TRIALS
    ? problem([PARTS[sweep.type].at(-1)!], `the sweep has ${size} trials, more than ${MOST_TRIALS}`)
    : undefined;
}

function searchProblems({ learningRateSearch, pruning, parameters, trials }: SweepSpec): Problem[] {
  if (!learningRateSearch) return [];
  if (pruning)
    return [
      problem(
        ['learningRateSearch'],
        'sweep.learningRateSearch and sweep.pruning cannot be combined: choose one',
      ),
    ];
  const keys = [...Object.keys(parameters ?? {}), ...(trials ?? []).flatMap((t) => Object.keys(t))];
  const missing = [RATE, SEED].filter((key) => !keys.includes(key));
  return missing.length === 0
    ? []
    : [
        problem(
          ['learningRateSearch'],
          `sweep.learningRateSearch needs trials that differ in ${missing.join(' and ')}`,
        ),
      ];
}

function partProblems(sweep: SweepSpec): Problem[] {
  const own: readonly string[] = PARTS[sweep.type];
  return (['parameters', 'count', 'trials'] as const).flatMap((part) => {
    const given = sweep[part] !== undefined;
    if (own.includes(part) === given) return [];
    const what = `a sweep of the type ${sweep.type}`;
    return [
      given
        ? problem([part], `sweep.${part} has no effect in ${what}, which has ${own.join(' and ')}`)
        : problem([], `sweep.${part} is missing: ${what} needs it`),
    ];
  });
}

function manySettings({ parameters = {}, trials = [] }: SweepSpec): Problem | undefined {
  const all = [
    { settings: parameters, path: ['parameters'] },
    ...trials.map((settings, i) => ({ settings, path: ['trials', i] })),
  ];
  const first = all.find(({ settings }) => Object.keys(settings).length > MOST_SETTINGS);
  return (
    first &&
    problem(
      first.path,
      `a trial has ${Object.keys(first.settings).length} settings, more than ${MOST_SETTINGS}`,
    )
  );
}

function parameterProblems({ type, parameters = {}, trials = [] }: SweepSpec): Problem[] {
  const keys = [
    ...Object.keys(parameters).map((key) => ({ key, path: ['parameters', key] })),
    ...trials.flatMap((settings, i) =>
      Object.keys(settings).map((key) => ({ key, path: ['trials', i, key] })),
    ),
  ];
  return [
    ...keys.flatMap(({ key, path }) => {
      const wrong =
        prototypeProblem(key.split('.')) ??
        (/^(sweep|cluster|name|\$schema)(\.|$)/.test(key) ? `${key} is not a setting of a trial` : undefined);
      return wrong === undefined ? [] : [{ ...problem(path, wrong), atKey: true as const }];
    }),
    ...Object.entries(parameters).flatMap(([key, values]) => {
      if (Array.isArray(values)) return [];
      const path = ['parameters', key];
      if (type === 'grid') return [problem(path, `${key} has a range, but a grid needs a list of values`)];
      const { min, max, scale, integer } = values;
      if (!(min < max))
        return [problem(path, `the range of ${key} is ${min} to ${max}, expected min below max`)];
      if (scale === 'log' && min <= 0)
        return [problem(path, `the range of ${key} starts at ${min}, but a log scale needs numbers above 0`)];
      if (integer && !(Number.isInteger(min) && Number.isInteger(max)))
        return [problem(path, `the range of ${key} is ${min} to ${max}, expected whole numbers`)];
      return [];
    }),
  ];
}

const problem = (path: JSONPath, message: string): Problem => ({ path: ['sweep', ...path], message });
