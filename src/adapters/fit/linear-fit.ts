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
  plain: 'origin' | 'constant-direction';
  /**
   * The share of the variance of B σ(z) that B (M z + c) explains on held-out tokens: at most 1, and negative where a
   * constant would be closer. 1 if nothing varies there.
   */
  r2: number;
  /** The reason why a simpler rule was used, if it was. */
  fallback?: 'few-tokens' | 'constant' | 'singular';
}

/** The fit of all layers with σ; no layers if the run's adapter is linear at that step. */
export interface LinearFit {
  /** Optimizer steps of the values that it belongs to. */
  step: number;
  /** Of the choice of tokens. */
  seed: number;
  /** Tokens that were asked for, for each layer. */
  tokens: number;
  layers: LayerFit[];
}
