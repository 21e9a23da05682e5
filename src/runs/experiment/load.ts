import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { JSONPath } from 'jsonc-parser';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { ignoredSettings, type IgnoredSetting } from '../../experiment/ignored-settings';
import { trainedCount } from '../../experiment/sweep';
import { checkValue } from './check-value';
import { runPaths } from '../layout';
import { specText } from '../stored/spec';
import { missingReferences } from './hub-references';
import { applyOverride, parseOverride, type Override } from './overrides';
import type { TextError } from './parse-text';
import { capped, ExperimentSource, MOST_PROBLEMS, type Problem } from './source';
import { baseHash, makeTrials, type Sweep } from './sweep';
import { unreadKeyProblems } from './unread-keys';

/**
 * Reads an experiment file (JSON with comments), applies `overrides` ("key=value", dotted keys), fills in every default
 * and makes all paths absolute, relative to the file's folder; a reference to the hub becomes a path in the hub's
 * cache, without any request. Throws all problems as one AuroraError (`experiment`), one line each with
 * FILE:LINE:COLUMN or the override at fault.
 */
export const loadExperiment = (file: string, overrides: readonly string[] = []): Experiment =>
  parseExperiment(file, readText(file), overrides);

/** The experiment in the current or intended text of `file`. Paths are relative to its folder. */
export const parseExperiment = (file: string, text: string, overrides: readonly string[]): Experiment =>
  parse(file, text, overrides).experiment;

/** The settings in the text of `file` or in an override that have no effect. The experiment must be valid. */
export const ignoredIn = (file: string, text: string, overrides: readonly string[]): IgnoredSetting[] =>
  ignoredSettings(parse(file, text, overrides).raw);

/**
 * The sweep that an experiment file describes, with every trial checked.
 *
 * @throws AuroraError 'experiment' like loadExperiment, and if the file has no sweep or a trial has a mistake
 */
export function loadSweep(file: string, overrides: readonly string[] = []): Sweep {
  const { source, set, raw, experiment, sweep, cluster } = parse(file, readText(file), overrides);
  if (!sweep)
    throw new AuroraError(
      'experiment',
      `${file} has no "sweep" section.`,
      'Add one, such as "sweep": { "type": "grid", "parameters": { "training.seed": [1, 2, 3] } }.',
    );
  const { trials, problems } = makeTrials(raw, sweep, file);
  for (const { text, path } of set)
    if (sweep.parameters && Object.hasOwn(sweep.parameters, path.join('.')))
      problems.push({ path, message: `the sweep already varies ${text.split('=')[0]}` });
  if (problems.length > 0) throw problemsError(problems, source, set);
  return { spec: sweep, base: experiment, baseHash: baseHash(raw), trials, ...(cluster && { cluster }) };
}

function parse(file: string, text: string, overrides: readonly string[]) {
  const source = new ExperimentSource(file, text);
  const unreadable = source.firstError();
  if (unreadable !== undefined)
    throw new AuroraError(
      'experiment',
      unreadable,
      'Write plain JSON; comments and trailing commas are allowed.',
    );
  const value = source.value();
  const set = overrides.map(parseOverride);
  const problems = [
    ...source.duplicateKeys(),
    ...(isObject(value) ? set.flatMap((override) => applyOverride(value, override)) : []),
  ];
  const raw = structuredClone(value) as Record<string, unknown>;
  const { schema, rule, experiment, sweep, cluster } = checkValue(value, file);
  problems.push(...schema, ...rule);
  if (problems.length > 0) problems.push(...unreadKeyProblems(raw, problems));
  else problems.push(...missingReferences(raw, file));
  if (problems.length > 0) throw problemsError(problems, source, set);
  return { source, set, raw, experiment: experiment!, sweep, cluster };
}

/** An editor checks its text after each pause in typing, which thousands of trials would make a pause of the editor, too. */
const MOST_CHECKED = 1000;

/** A problem in an editor's text: its place and the check that found it. */
export interface LocatedProblem {
  path: JSONPath;
  message: string;
  /** The offset of the key or value at fault, in characters from the start of the text. */
  offset: number;
  from: TextError['kind'] | 'duplicate' | 'schema' | 'rule';
  /** The key at the path is wrong, not its value. */
  atKey?: true;
}

/**
 * Like loadExperiment, for an editor's text and without throwing. Returns all problems with their offsets, and `value`:
 * the experiment as far as the text defines it, with defaults filled in where its shape allows. `experiment` is set if
 * nothing is wrong, except perhaps in a trial of its sweep: if there are thousands, only some are checked. `trials` is
 * the number of trials that are trained.
 */
export function checkExperiment(
  file: string,
  text: string,
): { value: unknown; experiment?: Experiment; trials?: number; problems: LocatedProblem[] } {
  const source = new ExperimentSource(file, text);
  const located = (from: LocatedProblem['from'], problems: Problem[]): LocatedProblem[] =>
    capped(problems).map((p) => ({ ...p, offset: source.offsetOf(p), from }));
  const unreadable = source.errors
    .slice(0, MOST_PROBLEMS)
    .map(({ message, offset, kind }) => ({ path: [], message, offset, from: kind }));
  const value = source.value();
  if (value === undefined) return { value, problems: unreadable };
  const raw = structuredClone(value) as Record<string, unknown>;
  const { schema, rule, experiment, sweep } = checkValue(value, file);
  const problems = [
    ...unreadable,
    ...located('duplicate', source.duplicateKeys()),
    ...located('schema', schema),
    ...located('rule', rule),
  ];
  if (problems.length > 0)
    return { value, problems: [...problems, ...located('rule', unreadKeyProblems(raw, problems))] };
  const made = sweep && makeTrials(raw, sweep, file, MOST_CHECKED);
  return {
    value,
    experiment,
    ...(made && { trials: trainedCount(made.settings, sweep!.learningRateSearch) }),
    problems: located('rule', made?.problems ?? []),
  };
}

function problemsError(problems: Problem[], source: ExperimentSource, set: Override[]): AuroraError {
  const lines = capped(problems).map((problem) => {
    const { path, message } = problem;
    const override =
      path.length > 0
        ? set.findLast((o) => o.path.every((key, i) => i >= path.length || key === path[i]))
        : undefined;
    return `${override ? `--set ${override.text}` : source.locate(problem)}: ${message}.`;
  });
  return new AuroraError(
    'experiment',
    lines.map((line) => line.replace(/([.?])\.$/, '$1')).join('\n'),
    'For every key with its meaning and default, see completion and hover in VS Code, or experiment.schema.json.',
  );
}

/** The text of an experiment file; AuroraError 'experiment' if it cannot be read. */
export function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    return file === runPaths(dirname(file)).spec ? specText(dirname(file), text) : text;
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code;
    throw new AuroraError(
      'experiment',
      code === 'ENOENT'
        ? `There is no experiment file ${file}.`
        : `The experiment file ${file} could not be read: ${(e as Error).message}.`,
      'Give the path of a *.aurora.json file. `aurora train --help` has one to begin with.',
      { cause: e },
    );
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
