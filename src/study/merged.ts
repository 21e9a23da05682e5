import { isMetrics } from '../protocol/evaluations';
import type { EvaluationMetrics } from '../protocol/events';

/** RUN/study/merged-step-000120.json: one checkpoint in both forms on the validation set. */
export interface MergedMetrics {
  version: 1;
  step: number;
  /** SHA-256 of the checkpoint's adapter. */
  adapter: string;
  trained: EvaluationMetrics;
  merged: EvaluationMetrics;
}

/** Parses a file's content; undefined if it is not of this version. */
export function parseMerged(value: unknown): MergedMetrics | undefined {
  const m = value as Partial<MergedMetrics> | null | undefined;
  if (m?.version !== 1 || typeof m.adapter !== 'string' || !isMetrics(m.trained) || !isMetrics(m.merged))
    return undefined;
  return m as MergedMetrics;
}
