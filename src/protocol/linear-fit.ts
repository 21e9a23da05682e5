import { isCount } from '../base/guards';

/** The progress of fitting an adapter: training tokens that have run through the model. */
export interface FitProgress {
  kind: 'fitting';
  done: number;
  of: number;
}

/** The reason why a simpler rule than regression gave a layer's fit. */
export const FALLBACKS = ['few-tokens', 'constant', 'singular'] as const;
export type Fallback = (typeof FALLBACKS)[number];

/** The rule that gave A of the LoRA without a bias: M₀ A, or M A + c vᵀ. */
export const PLAIN_RULES = ['origin', 'constant-direction'] as const;
export type PlainRule = (typeof PLAIN_RULES)[number];

/** The fit of a layer as a run keeps it. */
export interface KeptLayer {
  path: string;
  /** Tokens that it was fitted on. */
  tokens: number;
  /** σ(z) ≈ M z + c: (r, r), row-major, and (r). */
  M: number[];
  c: number[];
  plain: PlainRule;
  /** M₀ (r, r), or v (in). */
  plainBy: number[];
  /** The share of the variance of B σ(z) on held-out tokens that the fit explains. */
  r2: number;
  fallback?: Fallback;
}

/** fit/step-000120.json: the linear form of a run's adapter at a step. */
export interface KeptFit {
  version: 1;
  step: number;
  seed: number;
  /** Tokens that were asked for, for each layer. */
  tokens: number;
  /** SHA-256 of the adapter's values. */
  values: string;
  layers: KeptLayer[];
}

/** Undefined for anything else: the file may be damaged, or come with anyone's repository. */
export function parseKeptFit(value: unknown): KeptFit | undefined {
  const kept = value as KeptFit | null | undefined;
  const isWhole =
    kept?.version === 1 &&
    isCount(kept.step) &&
    isCount(kept.seed) &&
    isCount(kept.tokens) &&
    typeof kept.values === 'string' &&
    Array.isArray(kept.layers) &&
    kept.layers.every(isKeptLayer);
  return isWhole ? kept : undefined;
}

function isKeptLayer(value: unknown): value is KeptLayer {
  const layer = value as KeptLayer | null | undefined;
  if (!layer || typeof layer.path !== 'string' || !isCount(layer.tokens)) return false;
  if (![layer.M, layer.c, layer.plainBy].every(isNumbers) || !Number.isFinite(layer.r2)) return false;
  const square = layer.c.length ** 2;
  return (
    layer.c.length > 0 &&
    layer.M.length === square &&
    PLAIN_RULES.includes(layer.plain) &&
    (layer.plain !== 'origin' || layer.plainBy.length === square) &&
    (layer.fallback === undefined || FALLBACKS.includes(layer.fallback))
  );
}

const isNumbers = (list: unknown): boolean => Array.isArray(list) && list.every(Number.isFinite);
