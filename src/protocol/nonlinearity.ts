import { isCount, isObject, isText } from '../base/guards';
import { METHOD_NAMES, type MethodName } from '../experiment/methods';
import { isMetrics } from './evaluations';
import type { EvaluationMetrics } from './events';
import type { InputsNote } from './inputs-words';
import { type Fallback, FALLBACKS, type FitProgress } from './linear-fit';
import type { PreflightProblem } from './preflight';
import { areParts, type FilePart } from './row-place';

/** Validation examples that are measured by default: each layer costs a pass over them. */
export const NONLINEARITY_EXAMPLES = 512;

/**
 * RUN/nonlinearity/step-000120.json: what a run loses on validation examples when its σ are replaced by their linear
 * fits, all of them and each alone.
 */
export interface Nonlinearity {
  version: 1;
  step: number;
  form: 'dynamic' | 'static';
  method: MethodName;
  /** Set if nothing is replaced: the method has no σ after A, or its static form was trained. */
  linear?: 'method' | 'static';
  /** The validation file's absolute path, and its content's hash; of a pattern, also which files it stood for. */
  data: { file: string; sha256: string; parts?: FilePart[] };
  /** The journal's values for this step. If it now has others, the run was trained again from an earlier step. */
  evaluation?: EvaluationMetrics;
  /** Remarks about the files that were read; absent if the run was trained on the same files. */
  inputs?: InputsNote;
  /** Examples that every row was measured on, evenly spaced, and those of the file. */
  examples: number;
  of: number;
  /** Training tokens of the fit, for each layer; undefined if nothing was fitted. */
  tokens?: number;
  trained: EvaluationMetrics;
  fitted: EvaluationMetrics;
  /** The adapters do nothing; a head stays as it was trained with them. */
  removed: EvaluationMetrics;
  /** A run of the same experiment that trained only the head. */
  headOnly?: HeadOnly;
  /** True if a head was trained with the adapters, which makes their removal look worse. */
  head: boolean;
  /** Rise of the loss, paired over the examples, from the run as trained to these rows. */
  lost: PairedRise;
  gain: PairedRise;
  headGain?: PairedRise;
  /** `lost` as a share of `gain`, and of `headGain`; undefined if that is not clearly above 0. */
  share?: Share;
  headShare?: Share;
  /** In the model's order. */
  layers: LayerNonlinearity[];
}

export interface HeadOnly {
  /** The run's folder. */
  run: string;
  step: number;
  metrics: EvaluationMetrics;
}

/** A mean over the examples, in the unit of the loss, with its standard error and half of its 95% interval. */
export interface PairedRise {
  mean: number;
  error: number;
  half: number;
}

/** A share with the ends of its 95% interval. */
export interface Share {
  value: number;
  low: number;
  high: number;
}

export interface LayerNonlinearity {
  path: string;
  /** Share of the variance of the adapter's output that the fit explains on held-out tokens. */
  r2: number;
  fallback?: Fallback;
  /** σ(z) ≈ M z + c: (r, r), row-major, and (r). */
  M: number[];
  c: number[];
  /**
   * The rise of the loss if this layer alone is replaced; `chance` is its p-value, adjusted for the number of layers
   * (Holm). Undefined if layers were not measured.
   */
  rise?: PairedRise & { chance: number };
}

/** The output of `aurora nonlinearity --json`, one JSON object per line. Readers ignore unknown kinds. */
export type NonlinearityLine =
  | FitProgress
  /** Passes over the examples; the time that the rest will take is known after the first one. */
  | { kind: 'measuring'; done: number; of: number; examples: number; secondsLeft?: number }
  | { kind: 'result'; file: string; step: number }
  | PreflightProblem;

/** True if the mean is above 0 beyond its 95% interval. */
export const isClearlyAbove = ({ mean, half }: PairedRise): boolean => mean > half;

/** Parses a file's content; undefined if it is damaged or of another version. */
export function parseNonlinearity(value: unknown): Nonlinearity | undefined {
  if (!isObject(value) || value.version !== 1) return undefined;
  const v = value as Partial<Record<keyof Nonlinearity, unknown>>;
  const isWhole =
    isCount(v.step) &&
    (v.form === 'dynamic' || v.form === 'static') &&
    Object.hasOwn(METHOD_NAMES, v.method as string) &&
    (v.linear === undefined || v.linear === 'method' || v.linear === 'static') &&
    isData(v.data) &&
    (v.evaluation === undefined || isMetrics(v.evaluation)) &&
    (v.inputs === undefined || isNote(v.inputs)) &&
    isCount(v.examples) &&
    isCount(v.of) &&
    (v.tokens === undefined || isCount(v.tokens)) &&
    [v.trained, v.fitted, v.removed].every(isMetrics) &&
    (v.headOnly === undefined || isHeadOnly(v.headOnly)) &&
    typeof v.head === 'boolean' &&
    isRise(v.lost) &&
    isRise(v.gain) &&
    (v.headGain === undefined || isRise(v.headGain)) &&
    [v.share, v.headShare].every((share) => share === undefined || isShare(share)) &&
    Array.isArray(v.layers) &&
    v.layers.every(isLayer);
  return isWhole ? (value as unknown as Nonlinearity) : undefined;
}

const areNumbers = (values: readonly unknown[]): boolean => values.every((v) => Number.isFinite(v));

const isData = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.file) &&
  typeof value.sha256 === 'string' &&
  (value.parts === undefined || areParts(value.parts));

const isNote = (value: unknown): boolean =>
  isObject(value) &&
  [value.changed, value.notes].every(
    (list) => Array.isArray(list) && list.every((words) => typeof words === 'string'),
  );

const isHeadOnly = (value: unknown): boolean =>
  isObject(value) && isText(value.run) && isCount(value.step) && isMetrics(value.metrics);

const isRise = (value: unknown): boolean =>
  isObject(value) && areNumbers([value.mean, value.error, value.half]);

const isShare = (value: unknown): boolean =>
  isObject(value) && areNumbers([value.value, value.low, value.high]);

function isLayer(value: unknown): boolean {
  if (!isObject(value) || !isText(value.path) || !areNumbers([value.r2])) return false;
  const { M, c, rise, fallback } = value;
  return (
    (fallback === undefined || FALLBACKS.includes(fallback as Fallback)) &&
    Array.isArray(c) &&
    Array.isArray(M) &&
    M.length === c.length ** 2 &&
    areNumbers(M) &&
    areNumbers(c) &&
    (rise === undefined || (isRise(rise) && areNumbers([(rise as { chance?: unknown }).chance])))
  );
}
