import type { Fallback, KeptLayer, PlainRule } from '../../protocol/linear-fit';
import type { Moments } from './moments';
import { regress, type Sigma } from './regression';

/**
 * The linear form of one adapted layer: σ(z) ≈ M z + c, so that s·B σ(A x) ≈ s·B (M A x + c), a LoRA whose A is M A,
 * with the bias s·B c. A fit belongs to the values of A, B, H and W that it was computed from.
 */
export interface LayerFit {
  path: string;
  /** Tokens that it was fitted on. */
  tokens: number;
  /** (r, r), row-major. */
  M: Float64Array;
  /** (r). */
  c: Float64Array;
  /**
   * A (r, in) of the LoRA without a bias that is closer on held-out tokens: M₀ A from a regression through the origin,
   * or M A + c vᵀ with vᵀx ≈ 1.
   */
  plainA: Float32Array;
  plain: PlainRule;
  /**
   * The share of the variance of B σ(z) that B (M z + c) explains on held-out tokens: at most 1, and negative where a
   * constant would be closer. 1 if nothing varies there.
   */
  r2: number;
  /** The reason why a simpler rule was used (see `regress`), if it was. */
  fallback?: Fallback;
}

/** The fit of all layers with σ; no layers if the run's adapter is linear at that step. */
export interface LinearFit {
  /** Optimizer steps of the values that it belongs to. */
  step: number;
  /** The seed that chose the tokens. */
  seed: number;
  /** Tokens that were asked for, for each layer. */
  tokens: number;
  layers: LayerFit[];
}

/** The data of a layer's fit. */
export interface LayerTokens {
  /** Moments of the vectors (z, σ(z)), 2r long. */
  fitted: Moments;
  /** Moments of the vectors (z, σ(z), vᵀx for each of the directions) of other tokens. */
  heldOut: Moments;
  /** Vectors v (in) that may have vᵀx ≈ 1. */
  directions: readonly Float32Array[];
}

/**
 * The fit of one layer. Errors are those of B σ(z), the output that the layer adds, on held-out tokens.
 *
 * @param B (out, r), row-major
 */
export function fitLayer(
  path: string,
  rank: number,
  sigma: Sigma,
  B: Float32Array,
  { fitted, heldOut, directions }: LayerTokens,
): KeptLayer {
  const { M, c, origin, fallback } = regress(fitted, rank, sigma);
  const error = new OutputError(heldOut, rank, B);
  const through = error.of(origin);
  const along = directions.map((_, k) => error.of(M, { c, direction: k }));
  const best = along.reduce((least, e, k) => (e < along[least] ? k : least), 0);
  const isDirected = along.length > 0 && along[best] < through;
  const variance = error.variance();
  return {
    path,
    tokens: fitted.count,
    M: [...M],
    c: [...c],
    plain: isDirected ? 'constant-direction' : 'origin',
    plainBy: isDirected ? [...directions[best]] : [...origin],
    r2: variance > 0 ? 1 - error.of(M, { c }) / variance : 1,
    ...(fallback && { fallback }),
  };
}

/** Mean squares of B e for the errors e of linear forms of σ(z), from moments alone. */
class OutputError {
  private readonly covariance: Float64Array;
  /** Bᵀ B (r, r). */
  private readonly weight: Float64Array;

  constructor(
    private readonly moments: Moments,
    private readonly rank: number,
    B: Float32Array,
  ) {
    this.covariance = moments.covariance();
    this.weight = new Float64Array(rank * rank);
    for (let o = 0; o < B.length; o += rank)
      for (let i = 0; i < rank; i++)
        for (let j = 0; j < rank; j++) this.weight[i * rank + j] += B[o + i] * B[o + j];
  }

  /** The variance of B σ(z). */
  variance(): number {
    const none = new Float64Array(this.rank ** 2);
    const { rank, moments } = this;
    return this.of(none, { c: moments.mean.subarray(rank, 2 * rank) });
  }

  /** E‖B (σ(z) − M z − c t)‖², with t = 1 or the product of x with a direction. */
  of(M: Float64Array, { c, direction }: { c?: Float64Array; direction?: number } = {}): number {
    const { rank, moments, covariance, weight } = this;
    const { size, mean } = moments;
    const constant = Float64Array.from({ length: rank }, (_, i) =>
      c && direction === undefined ? -c[i] : 0,
    );
    const rows = constant.map((b, i) => b + mean[rank + i]);
    // The rows of a matrix L with σ(z) − M z − c t = L (z, σ(z), t …).
    const L = Array.from({ length: rank }, (_, i) => {
      const row = new Float64Array(size);
      row[rank + i] = 1;
      for (let j = 0; j < rank; j++) {
        row[j] = -M[i * rank + j];
        rows[i] += row[j] * mean[j];
      }
      if (c && direction !== undefined) {
        row[2 * rank + direction] = -c[i];
        rows[i] -= c[i] * mean[2 * rank + direction];
      }
      return row;
    });
    let sum = 0;
    for (let i = 0; i < rank; i++) {
      const spread = new Float64Array(size);
      for (let k = 0; k < size; k++)
        if (L[i][k] !== 0) for (let l = 0; l < size; l++) spread[l] += L[i][k] * covariance[k * size + l];
      for (let j = 0; j < rank; j++) {
        let both = rows[i] * rows[j];
        for (let l = 0; l < size; l++) both += spread[l] * L[j][l];
        sum += weight[i * rank + j] * both;
      }
    }
    // Rounding may make a sum of squares that cancel negative.
    return Math.max(0, sum);
  }
}

/** The fit of a layer from its kept form. @param A (r, in), as the adapter multiplies its input by it */
export function layerFit(kept: KeptLayer, A: Float32Array): LayerFit {
  const { plainBy, ...rest } = kept;
  const [M, c] = [Float64Array.from(kept.M), Float64Array.from(kept.c)];
  const plainA =
    kept.plain === 'origin'
      ? timesA(Float64Array.from(plainBy), A)
      : timesA(M, A, (r, i) => c[r] * plainBy[i]);
  return { ...rest, M, c, plainA };
}

/** M A in float32, or M A + `more`, of M (r, r) and A (r, in). */
export function timesA(
  M: Float64Array,
  A: Float32Array,
  more: (r: number, i: number) => number = () => 0,
): Float32Array {
  const rank = Math.sqrt(M.length);
  const width = A.length / rank;
  const out = new Float32Array(A.length);
  for (let r = 0; r < rank; r++)
    for (let i = 0; i < width; i++) {
      let sum = more(r, i);
      for (let j = 0; j < rank; j++) sum += M[r * rank + j] * A[j * width + i];
      out[r * width + i] = sum;
    }
  return out;
}
