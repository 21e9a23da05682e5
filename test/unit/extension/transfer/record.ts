import type { ExportRecord } from '../../../../src/protocol/export';

const metrics = { loss: 0.5, accuracy: 0.75, f1: 0.7, matthews: 0.4, examples: 24 };

/** An export.json as written by `aurora export`. */
export const exportRecord = (over: Partial<ExportRecord> = {}): ExportRecord => ({
  program: 'aurora-lab',
  version: '0.1.0',
  form: 'onnx-merged',
  run: '20260102T030405Z-0a1b2c3d',
  experiment: 'demo',
  step: 40,
  trainedForm: 'dynamic',
  labels: ['a', 'b'],
  merge: 'paper',
  metrics: {
    trained: metrics,
    fitted: { ...metrics, accuracy: 0.74 },
    paper: { ...metrics, accuracy: 0.5 },
    removed: { ...metrics, accuracy: 0.6 },
    exported: { ...metrics, accuracy: 0.5 },
  },
  drop: { metric: 'accuracy', loss: 25 },
  largestDifference: 1e-6,
  files: { 'model.onnx': 'ab' },
  ...over,
});
