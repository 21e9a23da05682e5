import { formatMetric } from '../experiment/metrics';
import type { Evaluated, QuantizationCost } from './events';

const lossText = (m: Evaluated): string => (m === 'diverged' ? 'not finite' : formatMetric('loss', m.loss));

/** In a sentence. */
export function quantizationWords(cost: QuantizationCost): string {
  const { bits, of, quantized, float32 } = cost;
  const what = of === 'model' ? 'the model before training' : 'the best adapter';
  return `Validation loss of ${what}: ${lossText(quantized)} on weights of ${bits} bits, ${lossText(float32)} in float32.`;
}
