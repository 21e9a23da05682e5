import { formatMetric } from '../experiment/metrics';
import type { Evaluated, QuantizationCost } from './events';

/** A layer whose weight was quantized. */
export interface QuantizedLayer {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** ‖Ŵ − W‖ / ‖W‖, with the Frobenius norm. */
  error: number;
}

/** The result of `aurora quantize`. */
export interface QuantizeResult {
  /** The path of the ONNX file. */
  path: string;
  /** The size of the data file beside it. */
  bytes: number;
  layers: QuantizedLayer[];
  /** Names of the nodes of linear layers that stay as they were. */
  kept: string[];
}

const lossText = (m: Evaluated): string => (m === 'diverged' ? 'not finite' : formatMetric('loss', m.loss));

/** The cost in a sentence. */
export function quantizationWords(cost: QuantizationCost): string {
  const { bits, of, quantized, float32 } = cost;
  const what = of === 'model' ? 'the model before training' : 'the best adapter';
  return `Validation loss of ${what}: ${lossText(quantized)} on weights of ${bits} bits, ${lossText(float32)} in float32.`;
}
