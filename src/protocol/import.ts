import type { EvaluationMetrics } from './events';
import type { PreflightProblem } from './preflight';

/** The output of `aurora import --json`, one JSON object per line. Readers ignore unknown kinds. */
export type ImportLine =
  | { kind: 'preparing' }
  | { kind: 'result'; run: string; metrics: EvaluationMetrics; warnings: string[] }
  | PreflightProblem;
