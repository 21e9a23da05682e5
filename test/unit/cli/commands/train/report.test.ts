import { expect, it } from 'vitest';
import { report } from '../../../../../src/cli/commands/train/train-report';
import type { FinishedResult } from '../../../../../src/training/run/run-result';
import { metrics } from '../../../extension/run-maker';

const result = (accuracy: number): FinishedResult => ({
  ...{ method: 'lora', outcome: 'finished', steps: 20, seconds: 2, examples: 160 },
  best: { ...metrics(accuracy), step: 10 },
  last: metrics(accuracy),
  baseline: { answer: 'always "pets"', metric: 'accuracy', value: 0.5 },
  trained: { adapters: 10, head: 2, modules: 1, model: 100 },
  peakMemory: 2 ** 30,
  device: { engine: 'onnxruntime', device: 'cpu', reason: 'only', tried: [] },
  environment: {} as FinishedResult['environment'],
});

it('notes a best accuracy that is no better than always giving one answer', () => {
  expect(report(result(0.45), '/run', undefined)).toContain(
    'The best evaluation\'s accuracy, 45.0%, is worse than a constant answer (always "pets": 50.0%).',
  );
  expect(report(result(0.5), '/run', undefined)).toContain(
    'The best evaluation\'s accuracy is no better than a constant answer (always "pets": 50.0%).',
  );
  expect(report(result(0.55), '/run', undefined)).not.toContain('constant answer');
});

it('shows the metrics and the baseline of the kind of task', () => {
  const entities = { loss: 0.5, tagAccuracy: 0.75, entityF1: 0.25, examples: 100 };
  const found: FinishedResult = {
    ...result(0),
    best: { ...entities, step: 10 },
    last: entities,
    baseline: { answer: 'always "O"', metric: 'tagAccuracy', value: 0.8 },
  };
  const text = report(found, '/run', undefined);
  const row = (label: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`  ${label} `))!
      .trim()
      .split(/ {2,}/);
  expect(row('validation')).toEqual(['validation', 'loss', 'entity F1', 'tag accuracy']);
  expect(row('baseline')).toEqual(['baseline', '–', '–', '80.0%', 'always "O"']);
  expect(row('lora, best')).toEqual(['lora, best', '0.5000', '25.0%', '75.0%', 'step 10']);
  expect(text).toContain(
    'The best evaluation\'s tag accuracy, 75.0%, is worse than a constant answer (always "O": 80.0%).',
  );
});

it('shows the scores on the sets that training did not see, and their mean', () => {
  const lines = (scored: Partial<FinishedResult>) =>
    report({ ...result(0.75), ...scored }, '/run', undefined).split('\n');
  const cells = (found: string[], label: string) =>
    found
      .find((line) => line.startsWith(`  ${label} `))!
      .trim()
      .split(/ {2,}/);
  const found = lines({
    test: metrics(0.5),
    evaluations: { boolq: metrics(0.25), piqa: { ...metrics(0.75), examples: 50 } },
    evaluationsMean: { loss: 0.5, accuracy: 0.5 },
  });
  expect(found).toContain('Of the best adapter, of step 10, on data that training did not see:');
  expect(cells(found, 'test')).toEqual(['test', '0.5000', '50.0%', '50.0%', '0.500', '100 examples']);
  expect(cells(found, 'piqa').at(-1)).toBe('50 examples');
  expect(cells(found, 'mean of 2 sets')).toEqual(['mean of 2 sets', '0.5000', '50.0%', '–', '–']);
  const diverged = lines({ evaluations: { a: 'diverged', b: metrics(0.5) }, evaluationsMean: 'diverged' });
  expect(cells(diverged, 'a').slice(0, 3)).toEqual(['a', 'diverged', 'diverged']);
  expect(cells(diverged, 'mean of 2 sets')[1]).toBe('diverged');
  expect(lines({}).join()).not.toContain('did not see');
});
