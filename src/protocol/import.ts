import type { EvaluationMetrics } from './events';
import type { PreflightProblem } from './preflight';

/** What `aurora import --json` prints, one JSON object a line. Readers pass over kinds they do not know. */
export type ImportLine =
  | { kind: 'preparing' }
  | { kind: 'result'; run: string; metrics: EvaluationMetrics; warnings: string[] }
  | PreflightProblem;
