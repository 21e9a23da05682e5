import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { ClaimSpec } from '../../experiment/claim';
import type { ClusterSettings } from '../../experiment/cluster';
import type { Experiment } from '../../experiment/experiment';
import { ignoredSettings, type IgnoredSetting } from '../../experiment/ignored-settings';
import { trainedCount, type SweepSpec } from '../../experiment/sweep';
import { checkValue } from './check-value';
import { runPaths } from '../layout';
import { specText } from '../stored-spec';
import { missingReferences } from './hub-references';
import { applyOverride, parseOverride, type Override } from './overrides';
import type { TextError } from './parse-text';
import {
  capped,
  ExperimentText,
  mistakeText,
  MOST_PROBLEMS,
  withoutMark,
  type Problem,
} from './experiment-text';
import { baseHash, makeTrials, type Sweep } from './sweep-trials';
import { unreadKeyProblems } from './unread-keys';

/** An experiment's text, read and checked once. */
export interface CheckedExperiment {
  doc: ExperimentText;
  overrides: readonly Override[];
  /** The content with the overrides and without defaults; undefined if the text has none. */
  raw?: Record<string, unknown>;
  /** The experiment as far as the text defines it, with defaults filled in where its shape allows. */
  value: unknown;
  /** Set if nothing is wrong, except perhaps in a trial of its sweep. */
  experiment?: Experiment;
  sweep?: SweepSpec;
  claim?: ClaimSpec;
  cluster?: ClusterSettings;
  /** The number of trials that are trained, if they were checked. */
  trials?: number;
  problems: LocatedProblem[];
}

/** An experiment without mistakes. */
export type ValidExperiment = CheckedExperiment & Required<Pick<CheckedExperiment, 'experiment' | 'raw'>>;

/** A problem in an experiment: its place and the check that found it. */
export interface LocatedProblem extends Problem {
  /** The offset of the key or value at fault, in characters from the start of the text. */
  offset: number;
  from: TextError['kind'] | 'duplicate' | 'schema' | 'rule';
}

/**
 * Checks an experiment's text (JSON with comments) with `overrides` ("key=value", dotted keys), fills in every default and
 * makes all paths absolute, relative to the file's folder; a reference to the hub becomes a path in the hub's cache, whether
 * or not it is there. Does not throw for a mistake in the text.
 *
 * @throws AuroraError 'usage' for an override that is not one
 */
function checkExperiment(doc: ExperimentText, overrides: readonly string[] = []): CheckedExperiment {
  const unreadable = doc.errors
    .slice(0, MOST_PROBLEMS)
    .map(({ message, offset, kind }): LocatedProblem => ({ path: [], message, offset, from: kind }));
  const set = overrides.map(parseOverride);
  const value = doc.value();
  if (value === undefined) return { doc, overrides: set, value, problems: unreadable };
  const changes = isObject(value) ? set.flatMap((override) => applyOverride(value, override)) : [];
  const raw = structuredClone(value) as Record<string, unknown>;
  const { schema, rule, experiment, sweep, claim, cluster } = checkValue(value, doc.file);
  const problems = [
    ...unreadable,
    ...located(doc, 'duplicate', [...doc.duplicateKeys(), ...changes]),
    ...located(doc, 'schema', schema),
    ...located(doc, 'rule', rule),
  ];
  if (problems.length > 0) problems.push(...located(doc, 'rule', unreadKeyProblems(raw, problems)));
  const valid = problems.length === 0 ? experiment : undefined;
  return { doc, overrides: set, raw, value, experiment: valid, sweep, claim, cluster, problems };
}

const located = (
  doc: ExperimentText,
  from: LocatedProblem['from'],
  problems: readonly Problem[],
): LocatedProblem[] => capped(problems).map((p) => ({ ...p, offset: doc.offsetOf(p), from }));

/** An editor checks its text after each pause in typing, which thousands of trials would make a pause of the editor, too. */
const MOST_CHECKED = 1000;

/** `checkExperiment` with the trials of the sweep: if there are thousands, only some are checked. */
export function checkWithTrials(doc: ExperimentText): CheckedExperiment {
  const checked = checkExperiment(doc);
  const { experiment, raw, sweep } = checked;
  if (!experiment || !raw || !sweep) return checked;
  const { settings, problems } = makeTrials(raw, sweep, doc.file, MOST_CHECKED);
  return {
    ...checked,
    trials: trainedCount(settings, sweep.learningRateSearch),
    problems: located(doc, 'rule', problems),
  };
}

/**
 * @returns the experiment, checked
 * @throws AuroraError 'experiment' with all its mistakes, one line each with FILE:LINE:COLUMN or the override at fault
 */
export function requireValid(checked: CheckedExperiment): ValidExperiment {
  const { doc, raw, experiment, problems } = checked;
  doc.requireReadable();
  if (!experiment || !raw) throw mistakes(checked, problems);
  return { ...checked, experiment, raw };
}

/**
 * The experiment in the current or intended text of `file`, with its references to the hub on this machine.
 *
 * @throws AuroraError like `requireValid`, also for a reference that has not been downloaded
 */
export function readExperiment(
  file: string,
  overrides: readonly string[] = [],
  text = readText(file),
): ValidExperiment {
  const valid = requireValid(checkExperiment(new ExperimentText(file, text), overrides));
  const missing = missingReferences(valid.raw, file);
  if (missing.length > 0) throw mistakes(valid, missing);
  return valid;
}

/** @throws AuroraError like `readExperiment` */
export const loadExperiment = (file: string, overrides: readonly string[] = []): Experiment =>
  readExperiment(file, overrides).experiment;

/** @throws AuroraError like `readExperiment` */
export const parseExperiment = (file: string, text: string, overrides: readonly string[]): Experiment =>
  readExperiment(file, overrides, text).experiment;

/** The settings in the text or in an override that have no effect. */
export const ignoredIn = ({ raw }: ValidExperiment): IgnoredSetting[] => ignoredSettings(raw);

/**
 * The sweep that an experiment describes, with every trial checked.
 *
 * @throws AuroraError 'experiment' if it has no sweep, or a trial has a mistake
 */
export function sweepOf(checked: ValidExperiment): Sweep {
  const { doc, overrides, raw, experiment, sweep, cluster } = checked;
  if (!sweep)
    throw new AuroraError(
      'experiment',
      `${doc.file} has no "sweep" section.`,
      'Add one, such as "sweep": { "type": "grid", "parameters": { "training.seed": [1, 2, 3] } }.',
    );
  const { trials, problems } = makeTrials(raw, sweep, doc.file);
  for (const { text, path } of overrides)
    if (sweep.parameters && Object.hasOwn(sweep.parameters, path.join('.')))
      problems.push({ path, message: `the sweep already varies ${text.split('=')[0]}` });
  if (problems.length > 0) throw mistakes(checked, problems);
  return { spec: sweep, base: experiment, baseHash: baseHash(raw), trials, cluster };
}

/** @throws AuroraError like `readExperiment` and `sweepOf` */
export const loadSweep = (file: string, overrides: readonly string[] = []): Sweep =>
  sweepOf(readExperiment(file, overrides));

export function mistakes({ doc, overrides }: CheckedExperiment, problems: readonly Problem[]): AuroraError {
  const all = capped(problems).map((problem) => {
    const { path } = problem;
    const message = `${problem.message}.`.replace(/([.?])\.$/, '$1');
    const override =
      path.length > 0
        ? overrides.findLast((o) => o.path.every((key, i) => i >= path.length || key === path[i]))
        : undefined;
    return override ? `--set ${override.text}: ${message}` : { ...doc.placeOf(problem), message };
  });
  return new AuroraError(
    'experiment',
    all.map((one) => (typeof one === 'string' ? one : mistakeText(one))).join('\n'),
    'For every key with its meaning and default, see completion and hover in VS Code, or experiment.schema.json.',
    { mistakes: all.filter((one) => typeof one !== 'string') },
  );
}

/** The text of an experiment file; AuroraError 'experiment' if it cannot be read. */
export function readText(file: string): string {
  try {
    const text = withoutMark(readFileSync(file, 'utf8'));
    return file === runPaths(dirname(file)).spec ? specText(dirname(file), text) : text;
  } catch (e) {
    throw unreadable(file, e);
  }
}

export function unreadable(file: string, cause: unknown): AuroraError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new AuroraError(
    'experiment',
    code === 'ENOENT'
      ? `There is no experiment file ${file}.`
      : `The experiment file ${file} could not be read: ${message}.`,
    'Give the path of a *.aurora.json file. `aurora train --help` has one to begin with.',
    { cause },
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
