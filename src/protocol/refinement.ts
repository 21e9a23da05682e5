import type { MetricName } from '../experiment/metrics';
import type { EvaluationMetrics } from './events';

/** The cost of `aurora export --refine`, measured before it begins. */
export interface RefineCost {
  steps: number;
  /** Seconds of a step of median length. */
  secondsPerStep: number;
  /** Evaluations during and after the steps. */
  evaluations: number;
  /** Seconds of all steps and evaluations. */
  seconds: number;
}

/** An evaluation on the validation data after a number of steps; step 0 is the fit itself. */
export interface RefineEvaluation {
  step: number;
  metrics: EvaluationMetrics;
}

export interface RefineStep {
  step: number;
  of: number;
  loss: number;
  learningRate: number;
  examples: number;
  /** Time of this step. */
  seconds: number;
  /** Time of all steps that are left, at the speed so far. */
  secondsLeft: number;
}

/** Progress of `--refine`, as JSON lines. */
export type RefineLine =
  | ({ kind: 'refine-cost' } & RefineCost)
  | ({ kind: 'refine-step' } & RefineStep)
  | ({ kind: 'refine-evaluation'; metric: MetricName; best: boolean } & RefineEvaluation);

/** How the fitted adapters of an export were trained further, in export.json. */
export interface Refinement {
  /** Optimizer steps done; fewer than `of` after early stopping. */
  steps: number;
  /** Optimizer steps asked for. */
  of: number;
  /** The step whose adapters are exported; 0 if no step improved on the fit. */
  best: number;
  /** Seconds of all steps and evaluations. */
  seconds: number;
  /** Evaluations of a diverged model are left out. */
  evaluations: RefineEvaluation[];
}
