import { createHash } from 'node:crypto';
import type { JSONPath } from 'jsonc-parser';
import { count } from '../../base/number-text';
import { sortedJson } from '../../base/sorted-json';
import type { ClusterSettings } from '../../experiment/cluster';
import type { Experiment } from '../../experiment/experiment';
import { trialText } from '../../experiment/run-names';
import { expand, type Settings, settingsLength, type SweepSpec, trialCount } from '../../experiment/sweep';
import { checkValue } from './check-value';
import { MOST_PROBLEMS, type Problem } from './experiment-text';
import { applyOverride } from './overrides';

/** A trial that has not been run. */
export interface Trial {
  /** Depends only on its settings, so it stays the same when other parts of the sweep change. */
  id: string;
  settings: Settings;
  /** The experiment with the settings applied. */
  spec: Experiment;
}

export interface Sweep {
  spec: SweepSpec;
  /** The experiment without its sweep, claim and cluster. */
  base: Experiment;
  /** Hash of everything in the file except the sweep, the claim and the cluster: with another base, the same settings are other trials. */
  baseHash: string;
  trials: Trial[];
  /** The file's `cluster` section. */
  cluster?: ClusterSettings;
}

/**
 * @param raw the file's content without defaults, so that a setting that follows another keeps following it
 * @param most the most trials to make: of more, a sample with every listed value
 * @returns the trials, the settings of all trials, and the problems
 */
export function makeTrials(
  raw: Record<string, unknown>,
  sweep: SweepSpec,
  file: string,
  most = Infinity,
): { trials: Trial[]; settings: Settings[]; problems: Problem[] } {
  const problems = new Map<string, Problem>();
  const base = ofTrials(raw);
  const large = tooLarge(base, sweep);
  if (large) return { trials: [], settings: [], problems: [large] };
  const all = expand(sweep);
  const sample = all.length > most ? sampleOf(all, most) : undefined;
  const trials = all.flatMap((settings, i) => {
    if (sample?.has(i) === false) return [];
    // Nobody reads more, and most mistakes are in all trials.
    if (problems.size > MOST_PROBLEMS) return [];
    const { spec, wrong } = makeTrial(base, settings, file);
    for (const { path, message } of wrong) {
      const at = placeOf(path, settings, sweep);
      const key = JSON.stringify([at, message]);
      // A bad value is in many trials of a grid: report only the first.
      if (problems.has(key)) continue;
      problems.set(key, { path: at, message: `trial ${i + 1} (${shortText(settings)}): ${message}` });
    }
    return spec ? [{ id: hash(settings), settings, spec }] : [];
  });
  return { trials, settings: all, problems: [...problems.values()] };
}

/** An experiment's content without the sections that a trial does not have. */
export function ofTrials(raw: Record<string, unknown>): Record<string, unknown> {
  const base = { ...raw };
  for (const section of ['sweep', 'claim', 'cluster']) delete base[section];
  return base;
}

/** Indices of evenly spread trials, and of the first with each value. */
function sampleOf(all: readonly Settings[], most: number): Set<number> {
  const sample = new Set(Array.from({ length: most }, (_, i) => Math.floor((i * all.length) / most)));
  const values = new Map<string, Set<unknown>>();
  for (const [i, settings] of all.entries())
    for (const [key, value] of Object.entries(settings)) {
      const known = values.get(key) ?? new Set();
      values.set(key, known);
      // Each trial has a different value from a range.
      if (known.size > most / 10 || known.has(value)) continue;
      known.add(value);
      sample.add(i);
    }
  return sample;
}

/** Shortened, since settings may contain long lists. */
function shortText(settings: Settings): string {
  const text = trialText(settings);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/**
 * Characters in all trials together. An experiment has a thousand or two, and the editor makes the trials again after
 * each pause in typing.
 */
const MOST_CHARACTERS = 40_000_000;

function tooLarge(base: Record<string, unknown>, sweep: SweepSpec): Problem | undefined {
  const trials = trialCount(sweep);
  const characters = trials * JSON.stringify(base).length + settingsLength(sweep);
  if (characters <= MOST_CHARACTERS) return undefined;
  const [all, most] = [characters, MOST_CHARACTERS].map(count);
  const message = `the experiment and its settings have ${all} characters in ${trials} trials, more than ${most}: use fewer trials or shorter lists`;
  return { path: ['sweep', sweep.trials ? 'trials' : 'parameters'], message };
}

export const baseHash = (raw: Record<string, unknown>): string =>
  hash({ ...ofTrials(raw), $schema: undefined });

const hash = (value: object): string =>
  createHash('sha256').update(sortedJson(value)).digest('hex').slice(0, 8);

function makeTrial(
  base: Record<string, unknown>,
  settings: Settings,
  file: string,
): { spec?: Experiment; wrong: Problem[] } {
  const value = copy(base);
  // Whole sections first: they would overwrite settings inside them.
  const paths = Object.keys(settings)
    .map((key) => ({ key, path: key.split('.') }))
    .sort((a, b) => a.path.length - b.path.length);
  const wrong = paths.flatMap(({ key, path }) =>
    applyOverride(value, { text: key, path, value: copy(settings[key]) }),
  );
  const { schema, rule, experiment } = checkValue(value, file);
  wrong.push(...schema, ...rule);
  return wrong.length > 0 ? { wrong } : { spec: experiment, wrong };
}

/** A copy of a JSON value, ten times as fast as a structured clone, which also copies strings. */
function copy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy) as T;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, copy(v)])) as T;
}

/** The path of the wrong value in the sweep section. */
function placeOf(path: JSONPath, settings: Settings, sweep: SweepSpec): JSONPath {
  const around = (key: string) => key.split('.').every((part, i) => i >= path.length || part === path[i]);
  const key = Object.keys(settings)
    .filter(around)
    .sort((a, b) => b.length - a.length)
    .at(0);
  if (sweep.trials)
    return ['sweep', 'trials', sweep.trials.indexOf(settings), ...(key === undefined ? [] : [key])];
  if (key === undefined) return ['sweep', 'parameters'];
  const values = sweep.parameters![key];
  return ['sweep', 'parameters', key, ...(Array.isArray(values) ? [values.indexOf(settings[key])] : [])];
}
