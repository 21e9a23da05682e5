/** The meaning of a trained model's outputs. A run keeps it, so that it can be opened without its training data. */
export interface Outputs {
  /** The names of the outputs, in their order. */
  labels: readonly string[];
  /** For numbers. */
  scale?: TargetScale;
}

/**
 * Converts an output to a number: output · deviation + mean. The training targets divided this way have mean 0 and
 * variance 1, whatever their unit.
 */
export interface TargetScale {
  mean: number;
  deviation: number;
}

/** The parts without the other data of a task. */
export const outputsOf = ({ labels, scale }: Outputs): { labels: string[]; scale?: TargetScale } => ({
  labels: [...labels],
  scale,
});
