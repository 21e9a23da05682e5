import { expect, it } from 'vitest';
import { report } from '../../../../../src/cli/commands/train/report';
import type { FinishedResult } from '../../../../../src/trainer/run/result';
import { metrics } from '../../../extension/run-maker';

const result = (accuracy: number): FinishedResult => ({
  ...{ method: 'lora', outcome: 'finished', steps: 20, seconds: 2, examples: 160 },
  best: { ...metrics(accuracy), step: 10 },
  last: metrics(accuracy),
  majority: { label: 'pets', accuracy: 0.5 },
  trained: { adapters: 10, head: 2, modules: 1, model: 100 },
  peakMemory: 2 ** 30,
  device: { engine: 'onnxruntime', device: 'cpu', reason: 'only', tried: [] },
  environment: {} as FinishedResult['environment'],
});

it('notes a best accuracy that is no better than always giving one answer', () => {
  expect(report(result(0.45), '/run', undefined)).toContain(
    'The best evaluation\'s accuracy, 45.0 %, is below always answering "pets" (50.0 %).',
  );
  expect(report(result(0.5), '/run', undefined)).toContain(
    'The best evaluation\'s accuracy is no better than always answering "pets" (50.0 %).',
  );
  expect(report(result(0.55), '/run', undefined)).not.toContain('always answering');
});
