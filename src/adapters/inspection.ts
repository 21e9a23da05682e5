import type { ModelSummary, StoredModel } from '../graph/summary';
import type { StepCost } from '../protocol/step-cost';

/** The output of `aurora inspect --json`. */
export type Inspection = StoredModel &
  ModelSummary & {
    step: StepCost;
    /** For each batch and length, where several are asked for; `step` is the first. */
    steps?: StepCost[];
  };
