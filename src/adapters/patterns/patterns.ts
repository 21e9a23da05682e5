import { performance } from 'node:perf_hooks';
import { AuroraError } from '../../shared/errors';
import { Matcher, NO_MATCH, valueOf, type Answer } from './matcher';
import { mostSteps } from './most-steps';

/** A regular expression that a person has written, as it is matched against module paths. */
export interface Pattern {
  /** The setting that it stands in, below `adapter`. */
  key: string;
  /** As it is written there. */
  written: string;
  /** With what PEFT puts around it. */
  source: string;
  /** Whether the number in its first group counts. */
  number?: boolean;
}

/** For all paths of a model together. The usual expression takes less than one. */
export const MATCH_MS = 100;
/** Steps that are no delay; expressions that cannot take more for all paths are matched where they are. */
const FEW_STEPS = 1e7;
/** Expressions whose matches are kept. An editor has one with each key that is typed. */
const KEPT = 500;
/** Whether an expression is slow depends on the machine's load too. */
const RETRY_MS = 5000;

interface Known {
  values: Map<string, number>;
  /** What is left of MATCH_MS. */
  left: number;
  failure?: { error: AuroraError; at: number };
}

const known = new Map<string, Known>();
const [inBackground, whileWaiting] = [new Matcher(), new Matcher()];

/**
 * Matches expressions against all paths of a model without keeping this thread from other things. What follows with
 * `matches` and `numberIn` then finds the answers, errors too. All expressions together have MATCH_MS.
 */
export async function matchAhead(patterns: readonly Pattern[], paths: readonly string[]): Promise<void> {
  if (known.size > KEPT) known.clear();
  let left = MATCH_MS;
  let late: Pattern | undefined;
  for (const pattern of patterns) {
    const record = recordOf(pattern);
    if (record.failure && performance.now() - record.failure.at > RETRY_MS)
      Object.assign(record, { failure: undefined, left: MATCH_MS });
    const missing = matchHere(pattern, record, paths);
    if (missing.length === 0 || record.failure) continue;
    if (late === undefined) {
      const answer = await inBackground.ask(question(pattern, missing), Math.min(left, record.left));
      take(pattern, record, missing, answer);
      if (answer.is === 'answered') left = Math.max(1, left - answer.milliseconds);
      if (answer.is === 'late') late = pattern;
    } else record.failure = { error: tooSlow(late), at: performance.now() };
  }
}

/** @throws AuroraError 'targets' for what is no expression, and for one that takes too long */
export const matches = (pattern: Pattern, path: string, paths: readonly string[] = [path]): boolean =>
  valueIn(pattern, path, paths) !== NO_MATCH;

/** The number in an expression's first group; undefined where it does not match. Throws as `matches`. */
export function numberIn(pattern: Pattern, path: string, paths: readonly string[]): number | undefined {
  const value = valueIn(pattern, path, paths);
  return value === NO_MATCH ? undefined : value;
}

/** Throws as `matches` for what is no expression, before anything is matched. */
export function requireExpression({ key, source }: Pattern): void {
  try {
    new RegExp(source);
  } catch (e) {
    throw invalid(key, (e as Error).message);
  }
}

function valueIn(pattern: Pattern, path: string, paths: readonly string[]): number {
  const record = recordOf(pattern);
  if (record.failure) throw record.failure.error;
  const value = record.values.get(path);
  if (value !== undefined) return value;
  requireExpression(pattern);
  const missing = matchHere(pattern, record, paths);
  if (missing.length > 0)
    take(pattern, record, missing, whileWaiting.askAndWait(question(pattern, missing), record.left));
  if (record.failure) throw (record as Required<Known>).failure.error;
  return record.values.get(path)!;
}

const question = ({ source, number = false }: Pattern, paths: readonly string[]) => ({
  source,
  number,
  paths,
});

function recordOf({ source, number }: Pattern): Known {
  const id = `${number ? 'number' : 'match'} ${source}`;
  const record = known.get(id) ?? { values: new Map<string, number>(), left: MATCH_MS };
  known.set(id, record);
  return record;
}

/** Matches what takes few steps, and nothing of what is no expression. Returns the paths that are left. */
function matchHere(pattern: Pattern, { values }: Known, paths: readonly string[]): string[] {
  const missing = paths.filter((p) => !values.has(p));
  const steps = missing.reduce((sum, p) => sum + mostSteps(pattern.source, p.length), 0);
  if (!(steps < FEW_STEPS)) return missing;
  try {
    const expression = new RegExp(pattern.source);
    for (const path of missing) values.set(path, valueOf(expression, path, pattern.number ?? false));
  } catch {
    // Whoever asks for the matches gets the error.
  }
  return [];
}

function take(pattern: Pattern, record: Known, paths: readonly string[], answer: Answer): void {
  const at = performance.now();
  if (answer.is === 'answered') {
    paths.forEach((path, i) => record.values.set(path, answer.values[i]!));
    record.left = Math.max(1, record.left - answer.milliseconds);
  } else
    record.failure = {
      error: answer.is === 'late' ? tooSlow(pattern) : notMatched(pattern, answer.why),
      at,
    };
}

const invalid = (key: string, why: string): AuroraError =>
  new AuroraError(
    'targets',
    `adapter.${key} is not a valid regular expression: ${why}.`,
    'Use a list of names, or correct the expression.',
  );

function notMatched(pattern: Pattern, why: string): AuroraError {
  try {
    requireExpression(pattern);
  } catch (e) {
    return e as AuroraError;
  }
  return new AuroraError(
    'targets',
    `adapter.${pattern.key}: the regular expression could not be matched in a thread beside this one: ${why}.`,
    'Try again when fewer programs are running, or use a list of names.',
  );
}

function tooSlow({ key, written }: Pattern): AuroraError {
  const shown = written.length > 200 ? `${written.slice(0, 200)}…` : written;
  return new AuroraError(
    'targets',
    `adapter.${key}: the regular expression "${shown}" takes more than ${MATCH_MS} ms to match the model's module paths.`,
    'Leave out repetitions within repetitions, such as (\\w+\\.?)+, or use a list of names.',
  );
}
