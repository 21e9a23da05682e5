import { createHash } from 'node:crypto';
import type { JSONPath } from 'jsonc-parser';
import type { Experiment } from '../../shared/experiment';
import { sortedJson } from '../../shared/sorted-json';
import { expand, settingsText, type Settings, type SweepSpec } from '../../shared/sweep';
import { checkValue } from './check-value';
import { applyOverride } from './overrides';
import { MOST_PROBLEMS, type Problem } from './source';

/** A trial before anybody has run it. */
export interface Trial {
  /** Follows from its settings alone: the same in a sweep that was changed elsewhere. */
  id: string;
  settings: Settings;
  /** The experiment with the settings in place. */
  spec: Experiment;
}

export interface Sweep {
  spec: SweepSpec;
  /** The experiment itself. */
  base: Experiment;
  /** Of what the file says beside the sweep: another base makes other trials of the same settings. */
  baseHash: string;
  trials: Trial[];
}

/** @param raw what the file holds, without the defaults, so that a setting that follows another goes on doing so */
export function makeTrials(
  raw: Record<string, unknown>,
  sweep: SweepSpec,
  file: string,
): { trials: Trial[]; problems: Problem[] } {
  const problems = new Map<string, Problem>();
  const base = { ...raw };
  delete base.sweep;
  const trials = expand(sweep).flatMap((settings, i) => {
    // Nobody reads more, and what is wrong with one trial is mostly wrong with all.
    if (problems.size > MOST_PROBLEMS) return [];
    const { spec, wrong } = makeTrial(base, settings, file);
    for (const { path, message } of wrong) {
      const at = placeOf(path, settings, sweep);
      const key = JSON.stringify([at, message]);
      // One bad value is in many trials of a grid: the first stands for all.
      if (problems.has(key)) continue;
      problems.set(key, { path: at, message: `trial ${i + 1} (${settingsText(settings)}): ${message}` });
    }
    return spec ? [{ id: hash(settings), settings, spec }] : [];
  });
  return { trials, problems: [...problems.values()] };
}

export const baseHash = (raw: Record<string, unknown>): string =>
  hash({ ...raw, sweep: undefined, $schema: undefined });

const hash = (value: object): string =>
  createHash('sha256').update(sortedJson(value)).digest('hex').slice(0, 8);

function makeTrial(
  base: Record<string, unknown>,
  settings: Settings,
  file: string,
): { spec?: Experiment; wrong: Problem[] } {
  const value = structuredClone(base);
  // A whole section first: it would overwrite what is set inside of it.
  const paths = Object.keys(settings)
    .map((key) => ({ key, path: key.split('.') }))
    .sort((a, b) => a.path.length - b.path.length);
  const wrong = paths.flatMap(({ key, path }) =>
    applyOverride(value, { text: key, path, value: structuredClone(settings[key]) }),
  );
  const { schema, rule, experiment } = checkValue(value, file);
  wrong.push(...schema, ...rule);
  return wrong.length > 0 ? { wrong } : { spec: experiment, wrong };
}

/** Where in the section the value at fault stands. */
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
