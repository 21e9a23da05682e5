import type { PreflightProblem } from './preflight';

/**
 * What `aurora verify --json` prints: one JSON object a line, each as soon as it is known: setup, ran …, result;
 * kinks and ran … again before the result where rounding decides gradients; a problem where it cannot be done. Readers pass over kinds they do not know.
 */
export type VerifyLine = VerifySetup | VerifyRan | VerifyKinks | VerifyResult | PreflightProblem;

export interface VerifyPlace {
  engine: string;
  device: string;
}

export interface VerifySetup {
  kind: 'setup';
  /** Both sides; the second is measured against the first. */
  places: [VerifyPlace, VerifyPlace];
  /** The batch: the run's first. */
  examples: number;
  tokens: number;
  /** Trainable tensors whose gradients are compared. */
  tensors: number;
  dropout: boolean;
}

/** As the run starts; or each tensor with seeded noise, since untrained adapters have gradients of 0. */
export type VerifyValues = 'initial' | 'perturbed';

/** One side has run one step. */
export interface VerifyRan {
  kind: 'ran';
  place: VerifyPlace;
  values: VerifyValues;
  seconds: number;
  loss: number;
}

/**
 * The gradients differed, but values lie so near an operator's kink that the engines round them to different sides.
 * The batch is run again without the texts that hold them, unless all do.
 */
export interface VerifyKinks {
  kind: 'kinks';
  values: number;
  operators: string[];
  /** Positions in the batch. */
  texts: number[];
  of: number;
}

/** The largest difference of one kind of number. */
export interface VerifyRow {
  values: VerifyValues;
  what: 'loss' | 'logits' | 'gradients';
  /** Relative to the largest magnitude; null where a number is not finite on one side only. */
  error: number | null;
  tolerance: number;
  agree: boolean;
  /** The gradient that differs most. */
  worst?: string;
  /** Gradients that are 0 on both sides, and how many there are. */
  zero?: number;
  of?: number;
}

/** The first tensor of the forward pass, in graph order, that differs. */
export interface VerifyTensor {
  stage: 'forward';
  tensor: string;
  operator: string;
  node: string;
  /** The module's path before export, where the node's name tells. */
  module?: string;
  dims: number[];
  /** Where it differs most, and both values there; as text, since JSON has no word for some. */
  position: number[];
  both: [string, string];
  error: number | null;
}

/** The forward pass agrees, and the gradient of this trainable tensor differs. */
export interface VerifyGradient {
  stage: 'gradient';
  tensor: string;
  dims: number[];
  position: number[];
  both: [string, string];
  error: number | null;
  /** Gradients that differ, in the order of the graph. */
  differing: string[];
}

export interface VerifyResult {
  kind: 'result';
  agree: boolean;
  rows: VerifyRow[];
  /** Where they part, if they do. */
  first?: VerifyTensor | VerifyGradient;
}
