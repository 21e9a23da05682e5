import type { PreflightProblem } from './preflight';

/**
 * The output of `aurora verify --json`: one JSON object per line, each as soon as it is known: setup, ran …, result;
 * kinks and ran … again before the result if rounding decides gradients; a problem if it cannot be done. Readers ignore
 * unknown kinds.
 */
export type VerifyLine = VerifySetup | VerifyRan | VerifyKinks | VerifyResult | PreflightProblem;

export interface VerifyPlace {
  engine: string;
  device: string;
}

export interface VerifySetup {
  kind: 'setup';
  /** Both engines; the second is compared with the first. */
  places: [VerifyPlace, VerifyPlace];
  /** The batch: the run's first. */
  examples: number;
  tokens: number;
  /** Trainable tensors whose gradients are compared. */
  tensors: number;
  dropout: boolean;
}

/** The run's initial weights; or seeded noise in each tensor, since untrained adapters have gradients of 0. */
export type VerifyValues = 'initial' | 'perturbed';

/** An engine has finished a step. */
export interface VerifyRan {
  kind: 'ran';
  place: VerifyPlace;
  values: VerifyValues;
  seconds: number;
  loss: number;
}

/**
 * The gradients differed, but some values are so close to an operator's kink that the engines round them to different
 * sides. The batch is run again without the texts that contain them, unless all do.
 */
export interface VerifyKinks {
  kind: 'kinks';
  values: number;
  operators: string[];
  /** Positions in the batch. */
  texts: number[];
  of: number;
}

/** The largest difference for one type of value. */
export interface VerifyRow {
  values: VerifyValues;
  what: 'loss' | 'logits' | 'gradients';
  /** Relative to the largest magnitude; null if a number is not finite on one side only. */
  error: number | null;
  tolerance: number;
  agree: boolean;
  /** The gradient that differs most. */
  worst?: string;
  /** Number of gradients that are 0 on both sides, and the total. */
  zero?: number;
  of?: number;
}

/** The first differing tensor of the forward pass, in graph order. */
export interface VerifyTensor {
  stage: 'forward';
  tensor: string;
  operator: string;
  node: string;
  /** The module's path before export, if the node's name reveals it. */
  module?: string;
  dims: number[];
  /** The position of the largest difference, and both values; as text, since JSON cannot express some. */
  position: number[];
  both: [string, string];
  error: number | null;
}

/** The forward pass agrees, but the gradient of this trainable tensor differs. */
export interface VerifyGradient {
  stage: 'gradient';
  tensor: string;
  dims: number[];
  position: number[];
  both: [string, string];
  error: number | null;
  /** Gradients that differ, in graph order. */
  differing: string[];
}

export interface VerifyResult {
  kind: 'result';
  agree: boolean;
  rows: VerifyRow[];
  /** The first divergence, if there is one. */
  first?: VerifyTensor | VerifyGradient;
}
