import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { Experiment } from '../../../src/experiment/experiment';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor } from '../../../src/graph/tensor-infos';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { IGNORE_LABEL, OBJECTIVES, type TrainingLoss } from '../../../src/tasks/objective';
import { textClassification } from '../../../src/tasks/text-classification';
import { taskKind } from '../../../src/tasks/task-registry';
import { tokenClassification } from '../../../src/tasks/token-classification';
import { trainingLoss, weightIn } from '../../../src/tasks/training-loss';
import { checkGradients, emptyGraph, modelOf } from '../autodiff/check';
import type { Problem } from '../autodiff/problem';
import { failure } from '../data/support';
import { taskLab, textModel } from './lab';
import { lossInTraining } from './loss-in-training';

process.env.ORT_DISABLE_TELEMETRY = '1';

const { spec, write } = taskLab('text-classification');
const rows = [...'aaabab'].map((label) => `the,${label}\n`).join('');
const train = write('train.csv', `text,label\n${rows}cats,c\n`);
const data = await textClassification.load(spec({ train, validation: train }), textModel);
const withTask = (task: object): Experiment => spec({ train, validation: train }, { task });
const lossOf = (task: object) => trainingLoss(withTask(task), textClassification, data);

describe('task.classWeights', () => {
  it('"balanced" makes all labels count the same, as in scikit-learn', () => {
    // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 0, 1, 2])
    const { classWeights, labelSmoothing } = lossOf({ classWeights: 'balanced' })!;
    expect(classWeights!.map((w) => Number(w.toFixed(6)))).toEqual([0.583333, 1.166667, 2.333333]);
    expect(labelSmoothing).toBe(0);
    const weight = weightIn(textClassification, { classWeights });
    const total = [...data.train.dataset.examples].reduce((sum, e) => sum + weight(e), 0);
    expect(total).toBeCloseTo(7, 5);
  });

  it('"balanced" leaves out labels without an example', () => {
    const more = { ...data, labels: ['a', 'b', 'c', 'd'] };
    const { classWeights } = trainingLoss(withTask({ classWeights: 'balanced' }), textClassification, more)!;
    expect(classWeights!.map((w) => Number(w.toFixed(6)))).toEqual([0.583333, 1.166667, 2.333333, 0]);
  });

  it('names labels, and the others have 1', () => {
    const { classWeights } = lossOf({ classWeights: { c: 0.1, a: 2 } })!;
    expect(classWeights).toEqual([2, 1, Math.fround(0.1)]);
  });

  it('with a label that the data do not have names it', () => {
    expect(failure('labels', () => lossOf({ classWeights: { a: 2, cc: 3 } }))).toContain(
      `task.classWeights has a weight for the label "cc", which ${train} does not have (nearest: "c").`,
    );
  });

  it('counts the words whose tags are read', () => {
    const example = { first: Int32Array.of(1, -1, 3), tags: Int32Array.of(2, 1, 0) };
    const given = { ...example, size: 5, row: 0, ids: new Int32Array(5), offsets: new Int32Array(6) };
    expect(tokenClassification.classes(given)).toEqual([2, 0]);
    expect(tokenClassification.weight(given)).toBe(2);
    expect(weightIn(tokenClassification, { classWeights: [3, 100, 0.5] })(given)).toBe(3.5);
  });
});

describe('the loss in training', () => {
  it('is the plain one by default, and where nothing is trained', () => {
    expect(lossOf({})).toBeUndefined();
    expect(lossOf({ labelSmoothing: 0 })).toBeUndefined();
    expect(weightIn(textClassification, undefined)).toBe(textClassification.weight);
    expect(
      trainingLoss(withTask({ labelSmoothing: 0.1 }), taskKind({ type: 'text-regression' }), data),
    ).toBeUndefined();
    const train = { ...data.train, dataset: { ...data.train.dataset, examples: [] } };
    const smoothed = withTask({ labelSmoothing: 0.1, classWeights: 'balanced' });
    expect(trainingLoss(smoothed, textClassification, { ...data, train })).toBeUndefined();
  });

  const LOSSES: TrainingLoss[] = [
    { labelSmoothing: 0.1 },
    { classWeights: [0.5, 3, 1.5] },
    { labelSmoothing: 0.4, classWeights: [0.5, 3, 1.5] },
  ];

  it.each(LOSSES)('is that of PyTorch: %j', async (loss) => {
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    g.addInput('logits', DType.float, ['batch', 'sequence', 3]);
    g.addInput('labels', DType.int64, ['batch', 'sequence']);
    const { build } = OBJECTIVES['token-cross-entropy'];
    const { lossSum, count } = build(g, 'logits', 'labels', DType.float, loss);
    [lossSum, count].forEach((output) => g.addOutput(output));
    const session = await openSession(encodeModel(modelOf(graph)));
    const position = fc.record({
      label: fc.constantFrom(0, 1, 2, IGNORE_LABEL),
      logits: fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 3, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(position, { minLength: 1, maxLength: 6 }), async (positions) => {
        const dims = [1, positions.length];
        const logits: HostTensor = {
          dtype: DType.float,
          dims: [...dims, 3],
          data: Float32Array.from(positions.flatMap((p) => p.logits)),
        };
        const labels: HostTensor = {
          dtype: DType.int64,
          dims,
          data: BigInt64Array.from(positions, (p) => BigInt(p.label)),
        };
        const out = await session.run({ logits, labels }, [lossSum, count]);
        const expected = lossInTraining(loss, logits, labels);
        expect(Number(out[lossSum].data[0])).toBeCloseTo(expected.lossSum, 3);
        expect(Number(out[count].data[0])).toBeCloseTo(expected.count, 5);
      }),
      { seed: 1, numRuns: 60 },
    );
    await session.dispose();
  });

  it.each(LOSSES)('has the gradient of its differences: %j', async (loss) => {
    const problem: Problem = {
      inputs: {
        logits: { shape: ['d', 3] },
        labels: { shape: ['d'], dtype: DType.int64, range: [0, 3] },
      },
      open: ['d'],
      build: (g: GraphBuilder) => [
        OBJECTIVES['cross-entropy'].build(g, 'logits', 'labels', DType.double, loss).lossSum,
      ],
    };
    await checkGradients(problem, 3);
  });
});
