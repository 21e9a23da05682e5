import { performance } from 'node:perf_hooks';
import { AuroraError } from '../../base/errors';
import { type Answer, Matcher, NO_MATCH, type Question, valueOf } from './matcher';

/** A regular expression written by the user, as matched against module paths. */
export interface Pattern {
  /** Its setting, below `adapter`. */
  key: string;
  /** The pattern as written there. */
  written: string;
  /** The expression with PEFT's additions around it. */
  source: string;
  /** True if the number in its first group matters. */
  number?: boolean;
  /** A plain name, which must equal a path or the part after one of its dots; this needs no expression. */
  plain?: boolean;
}

/** For all expressions of an adapter on all paths of a model together. A typical expression takes less than 1 ms. */
const MATCH_MS = 100;
/** Steps without noticeable delay; expressions that cannot take more for all paths are matched in this thread. */
const FEW_STEPS = 1e7;
/** Expressions whose matches are cached. An editor creates one with each keystroke. */
const KEPT = 500;
/** The load of the machine also makes an expression slow. */
const RETRY_MS = 5000;

interface Known {
  values: Map<string, number>;
  /** Milliseconds of MATCH_MS. */
  took: number;
  failure?: { error: AuroraError; at: number };
}

const known = new Map<string, Known>();
const [inBackground, whileWaiting] = [new Matcher(), new Matcher()];

/**
 * Matches an adapter's expressions against all paths of a model without blocking this thread. Later calls of `matches`
 * and `numberIn` then find the answers, including errors.
 */
export async function matchAhead(patterns: readonly Pattern[], paths: readonly string[]): Promise<void> {
  if (known.size > KEPT) known.clear();
  const now = performance.now();
  const isOver = (p: Pattern) => now - (known.get(idOf(p))?.failure?.at ?? Infinity) > RETRY_MS;
  // All of them: their times were measured under the same load.
  if (patterns.some(isOver)) for (const p of patterns) known.delete(idOf(p));
  const matching = matchAll(patterns, paths);
  for (let next = matching.next(); !next.done;) next = matching.next(await inBackground.ask(...next.value));
}

/** Matches, blocking this thread. */
export function matchNow(patterns: readonly Pattern[], paths: readonly string[]): void {
  const matching = matchAll(patterns, paths);
  for (let next = matching.next(); !next.done;) next = matching.next(whileWaiting.askAndWait(...next.value));
}

/** Yields each query that needs a matcher, with its milliseconds. All expressions share one MATCH_MS. */
export function* matchAll(
  patterns: readonly Pattern[],
  paths: readonly string[],
): Generator<[Question, number], void, Answer> {
  const here = { steps: FEW_STEPS };
  const took: [Pattern, number][] = [];
  let error: AuroraError | undefined;
  for (const pattern of patterns) {
    const record = recordOf(pattern);
    const missing = matchHere(pattern, record, paths, here);
    if (missing.length > 0 && !record.failure) {
      if (error) record.failure = { error, at: performance.now() };
      else {
        const left = Math.max(1, MATCH_MS - took.reduce((sum, [, ms]) => sum + ms, record.took));
        const answer = yield [question(pattern, missing), left];
        take(pattern, record, missing, answer);
        if (answer.is === 'late') {
          error = tooSlow([...took, [pattern, left]]);
          record.failure = { error, at: performance.now() };
        }
      }
    }
    if (record.took > 0) took.push([pattern, record.took]);
  }
}

/** @throws AuroraError 'targets' for an invalid expression, and for one that takes too long */
export const matches = (pattern: Pattern, path: string, paths: readonly string[] = [path]): boolean =>
  valueIn(pattern, path, paths) !== NO_MATCH;

/** The number in an expression's first group; undefined if it does not match. Throws like `matches`. */
export function numberIn(pattern: Pattern, path: string, paths: readonly string[]): number | undefined {
  const value = valueIn(pattern, path, paths);
  return value === NO_MATCH ? undefined : value;
}

/** Throws like `matches` for an invalid expression, before anything is matched. */
export function requireExpression({ key, source }: Pattern): void {
  try {
    new RegExp(source);
  } catch (e) {
    throw invalid(key, (e as Error).message);
  }
}

function valueIn(pattern: Pattern, path: string, paths: readonly string[]): number {
  if (pattern.plain) return isAtEnd(path, pattern.written) ? 0 : NO_MATCH;
  const record = recordOf(pattern);
  if (record.failure) throw record.failure.error;
  const value = record.values.get(path);
  if (value !== undefined) return value;
  requireExpression(pattern);
  const missing = matchHere(pattern, record, paths, { steps: FEW_STEPS });
  if (missing.length > 0) {
    const left = Math.max(1, MATCH_MS - record.took);
    take(pattern, record, missing, whileWaiting.askAndWait(question(pattern, missing), left));
  }
  if (record.failure) throw (record as Required<Known>).failure.error;
  return record.values.get(path)!;
}

const question = ({ source, number = false }: Pattern, paths: readonly string[]) => ({
  source,
  number,
  paths,
});

const idOf = ({ source, number }: Pattern): string => `${number ? 'number' : 'match'} ${source}`;

function recordOf(pattern: Pattern): Known {
  const id = idOf(pattern);
  const record = known.get(id) ?? { values: new Map<string, number>(), took: 0 };
  known.set(id, record);
  return record;
}

/**
 * Matches expressions that take few steps; skips invalid ones. Returns the remaining paths.
 *
 * @param here the steps still allowed on this thread; reduced by those used
 */
function matchHere(
  pattern: Pattern,
  { values }: Known,
  paths: readonly string[],
  here: { steps: number },
): string[] {
  const missing = pattern.plain ? [] : paths.filter((p) => !values.has(p));
  if (missing.length === 0) return missing;
  const longest = missing.reduce((most, p) => Math.max(most, p.length), 0);
  const steps = missing.length * mostSteps(pattern.source, longest);
  if (!(steps < here.steps)) return missing;
  here.steps -= steps;
  try {
    const expression = new RegExp(pattern.source);
    for (const path of missing) values.set(path, valueOf(expression, path, pattern.number ?? false));
  } catch {
    // The caller of `matches` gets the error.
  }
  return [];
}

const LINE_END = /[\n\r\u2028\u2029]/;

/** True if `^(?:.*\.)?(?:…)$` matches, for an expression in which a dot is the only special character. */
function isAtEnd(path: string, written: string): boolean {
  const start = path.length - written.length;
  if (start < 0 || (start > 0 && path[start - 1] !== '.') || LINE_END.test(path)) return false;
  for (let i = 0; i < written.length; i++)
    if (written[i] !== '.' && written[i] !== path[start + i]) return false;
  return true;
}

function take(pattern: Pattern, record: Known, paths: readonly string[], answer: Answer): void {
  const at = performance.now();
  if (answer.is === 'answered') {
    paths.forEach((path, i) => record.values.set(path, answer.values[i]!));
    record.took += answer.milliseconds;
  } else
    record.failure = {
      error: answer.is === 'late' ? tooSlow([[pattern, MATCH_MS]]) : notMatched(pattern, answer.why),
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
    `adapter.${pattern.key}: the worker thread that matches the regular expression failed: ${why}.`,
    'Try again when fewer programs are running, or use a list of names.',
  );
}

/** Names the one that took most of the time. */
function tooSlow(took: readonly [Pattern, number][]): AuroraError {
  const [{ key, written }] = took.reduce((most, one) => (one[1] > most[1] ? one : most));
  const shown = written.length > 200 ? `${written.slice(0, 200)}…` : written;
  const what =
    took.length === 1
      ? `the regular expression "${shown}" takes`
      : `the regular expression "${shown}" and ${took.length - 1} faster ${took.length === 2 ? 'one' : 'ones'} together take`;
  return new AuroraError(
    'targets',
    `adapter.${key}: ${what} more than ${MATCH_MS} ms to match the model's module paths.`,
    'Avoid nested repetitions, such as (\\w+\\.?)+, or use a list of names.',
  );
}

/**
 * An upper bound on the steps of a backtracking engine to match an expression against a string of that length: the
 * product of all its choices. Infinite if a group is repeated or back-referenced, since choices then multiply with the
 * string. Far above the steps of most expressions, but never below.
 */
export function mostSteps(source: string, length: number): number {
  let product = 1;
  /** Alternatives of each open group, the whole expression first. */
  const open = [1];
  let afterGroup = false;
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    const isGroup = afterGroup;
    afterGroup = false;
    if (c === '\\') {
      i++;
      if (/[1-9k]/.test(source[i] ?? '')) return Infinity;
    } else if (c === '[') {
      while (++i < source.length && source[i] !== ']') if (source[i] === '\\') i++;
    } else if (c === '(') {
      open.push(1);
      // The kind of group.
      if (source[i + 1] === '?') i++;
    } else if (c === ')') {
      product *= open.length > 1 ? open.pop()! : 1;
      afterGroup = true;
    } else if (c === '|') open[open.length - 1]!++;
    else if (c === '?') product *= 2;
    else if (c === '*' || c === '+' || c === '{') {
      if (isGroup) return Infinity;
      product *= length + 1;
    }
  }
  // If the whole expression has alternatives, one without an anchor is tried at every position of the text.
  if (open[0]! > 1) product *= open[0]! * (length + 1);
  return product * (source.length + length);
}
