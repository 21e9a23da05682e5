import type { EvaluationMetrics } from '../src/protocol/events';
import type { Nonlinearity } from '../src/protocol/nonlinearity';

const row = (loss: number, accuracy: number): EvaluationMetrics => ({ loss, accuracy, examples: 512 });

/** The result of a run on two layers of rank 2, of which the second needs its σ. */
export const nonlinearityResult = (over: Partial<Nonlinearity> = {}): Nonlinearity => ({
  version: 1,
  step: 60,
  form: 'dynamic',
  method: 'aurora',
  data: { file: '/data/validation.jsonl', sha256: '' },
  examples: 512,
  of: 2256,
  tokens: 4096,
  trained: row(1.2, 0.64),
  fitted: row(1.23, 0.635),
  removed: row(1.5, 0.57),
  head: true,
  lost: { mean: 0.03, error: 0.005, half: 0.0098 },
  gain: { mean: 0.3, error: 0.02, half: 0.0393 },
  share: { value: 0.1, low: 0.065, high: 0.14 },
  layers: [
    {
      path: 'layer.0.query',
      r2: 0.9912,
      M: [1, 0, 0.5, -0.25],
      c: [0.1, -0.2],
      rise: { mean: 0.001, error: 0.002, half: 0.0039, chance: 0.6 },
    },
    {
      path: 'layer.0.value',
      r2: 0.42,
      fallback: 'few-tokens',
      M: [0, 0, 0, 0],
      c: [0, 1],
      rise: { mean: 0.025, error: 0.004, half: 0.0078, chance: 1e-8 },
    },
  ],
  ...over,
});
