import type { TextExample } from '../data/dataset';
import type { Outputs, TargetScale } from '../protocol/outputs';

/** A text and its number. */
export interface NumberedText extends TextExample {
  value: number;
  /** The number as the head learns it: scaled to mean 0 and variance 1. */
  target: number;
}

/** For a model whose own output is already in the unit of the numbers. */
export const UNSCALED: TargetScale = { mean: 0, deviation: 1 };

/** A number as the head learns it. */
export const targetOf = (value: number, { scale = UNSCALED }: Outputs): number =>
  (value - scale.mean) / scale.deviation;

/** An output in the unit of the data. */
export const numberOf = (output: number, { scale = UNSCALED }: Outputs): number =>
  output * scale.deviation + scale.mean;
