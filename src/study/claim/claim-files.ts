import { isCount, isObject, isText } from '../../base/guards';
import { isMetric } from '../../experiment/metrics';
import type { Certificate, ClaimLine, FrozenClaim, Look, MethodResult } from './certificate';

/** The files of a claim's folder that the editor reads: anyone's repository can come with one. */

/** progress.json: the results of an open claim so far, rewritten after each step. */
export interface ClaimProgress {
  version: 1;
  sentence: string;
  /** The methods by name. */
  labels: string[];
  /** Measured before the first trial. */
  cost?: AnnouncedCost;
  /** The search of each method, once it is over. */
  searched: SearchedMethod[];
  /** The looks that did not decide. */
  looks: Look[];
  /** The error that ended the last attempt. */
  error?: { message: string; hint?: string };
}

export type AnnouncedCost = Omit<Extract<ClaimLine, { kind: 'cost' }>, 'kind'>;
export type SearchedMethod = Pick<MethodResult, 'label' | 'tried' | 'chosen'>;

const isOneOf =
  (...values: unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

const isPhase = isOneOf('search', 'test');
const isFinding = isOneOf('supported', 'refuted', 'small', 'open');
const isForm = isOneOf('trained', 'fitted');
const isSum = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && !Array.isArray(value);
const areAll = (values: unknown, is: (value: unknown) => boolean): values is unknown[] =>
  Array.isArray(values) && values.every(is);
const areNumbers = (...values: unknown[]): boolean => values.every(Number.isFinite);

/** True for the value of a frozen.json of this version. Its hash is not checked. */
export function isFrozenClaim(value: unknown): value is FrozenClaim {
  if (!isRecord(value) || value.version !== 1) return false;
  return (
    isClaim(value.claim) &&
    isRecord(value.experiment) &&
    areAll(value.files, isFile) &&
    areAll(value.looks, (look) => isRecord(look) && isCount(look.seeds) && areNumbers(look.level)) &&
    value.looks.length > 0
  );
}

function isClaim(value: unknown): boolean {
  if (!isRecord(value) || !areAll(value.methods, isRecord) || !isRecord(value.search)) return false;
  const { relation, sides, of, metric, by, on, search } = value;
  const { length } = value.methods;
  return (
    isOneOf('better', 'not-worse')(relation) &&
    areAll(sides, (side) => isRecord(side) && isIndex(side.method, length) && isForm(side.form)) &&
    sides.length > 1 &&
    isOneOf('each', 'any')(of) &&
    isMetric(metric) &&
    areNumbers(by) &&
    isOneOf('validation', 'test', 'evaluations')(on) &&
    isRecord(search.parameters) &&
    Object.values(search.parameters).every(Array.isArray) &&
    isCount(search.seeds)
  );
}

const isIndex = (value: unknown, length: number): boolean => isCount(value) && value < length;

const isFile = (value: unknown): boolean =>
  isRecord(value) && isText(value.path) && (value.sha256 === null || isText(value.sha256));

/** True for the value of a certificate.json of this version. Neither its hash nor its verdict is checked. */
export function isCertificate(value: unknown): value is Certificate {
  if (!isRecord(value) || value.version !== 1 || !isFrozenClaim(value.frozen) || !isRecord(value.seeds))
    return false;
  const { claim } = value.frozen;
  const { seeds, needed } = value;
  const ofMethod = (run: unknown) => isRun(run, claim.methods.length);
  return (
    isText(value.sentence) &&
    isSum(value.hash) &&
    [seeds.search, seeds.test].every((all) => areAll(all, isCount) && all.length > 0) &&
    areAll(
      value.methods,
      (method) => isSearched(method) && areNumbers((method as MethodResult).parameters),
    ) &&
    value.methods.length === claim.methods.length &&
    areAll(value.runs, (run) => ofMethod(run) && isResult(run as Record<string, unknown>)) &&
    areAll(value.leftOut, ofMethod) &&
    areAll(value.looks, (look) => isLook(look, claim.sides.length - 1)) &&
    isFinding(value.verdict) &&
    typeof value.generalizes === 'boolean' &&
    (needed === undefined || isNeeded(needed))
  );
}

const isRun = (value: unknown, methods: number): boolean =>
  isRecord(value) &&
  isPhase(value.phase) &&
  isIndex(value.method, methods) &&
  isRecord(value.values) &&
  isCount(value.seed) &&
  isText(value.run);

const isResult = ({ step, spec, adapter, results }: Record<string, unknown>): boolean =>
  isCount(step) &&
  isText(spec) &&
  isText(adapter) &&
  isRecord(results) &&
  Object.entries(results).every(
    ([form, result]) => isForm(form) && isRecord(result) && areNumbers(result.value, result.examples),
  );

const isSearched = (value: unknown): value is SearchedMethod =>
  isRecord(value) && isText(value.label) && areAll(value.tried, isTried) && isRecord(value.chosen);

const isTried = (value: unknown): boolean =>
  isRecord(value) && isRecord(value.values) && (value.mean === 'diverged' || areNumbers(value.mean));

/** @param opponents the results that it has, or none if a run diverged */
const isLook = (value: unknown, opponents: number): value is Look =>
  isRecord(value) &&
  isCount(value.seeds) &&
  areNumbers(value.level) &&
  isFinding(value.verdict) &&
  areAll(value.results, isLookResult) &&
  (value.results.length === 0 || value.results.length === opponents);

const isLookResult = (value: unknown): boolean =>
  isRecord(value) &&
  areNumbers(value.difference, value.lower, value.upper) &&
  isFinding(value.finding) &&
  isOneOf('crossed', 'seeds')(value.kind);

const isNeeded = (value: unknown): boolean =>
  isRecord(value) && [value.seeds, value.examples].every((number) => number === undefined || isCount(number));

/**
 * The value of a progress.json; undefined if it is of another version or does not belong to the claim. Nothing depends on
 * it: the claim's sweeps have its state.
 */
export function parseProgress(value: unknown, { claim }: FrozenClaim): ClaimProgress | undefined {
  if (!isRecord(value) || value.version !== 1 || !isText(value.sentence)) return undefined;
  const { sentence, labels, cost, searched, looks, error } = value;
  if (!areAll(labels, isText) || labels.length !== claim.methods.length) return undefined;
  const isWhole =
    areAll(searched, isSearched) && (searched.length === 0 || searched.length === labels.length);
  return {
    version: 1,
    sentence,
    labels: labels as string[],
    ...(isCost(cost) && { cost }),
    searched: isWhole ? (searched as SearchedMethod[]) : [],
    looks: areAll(looks, (look) => isLook(look, claim.sides.length - 1)) ? (looks as Look[]) : [],
    ...(isRecord(error) &&
      isText(error.message) && {
        error: { message: error.message, ...(isText(error.hint) && { hint: error.hint }) },
      }),
  };
}

const isCost = (value: unknown): value is AnnouncedCost =>
  isRecord(value) &&
  areAll(value.runs, (run) => isRecord(run) && isText(run.label) && areNumbers(run.seconds)) &&
  [value.least, value.most].every(
    (cost) =>
      isRecord(cost) && areNumbers(cost.runs) && (cost.seconds === undefined || areNumbers(cost.seconds)),
  );
