import { isPatched } from '../base/patch-budget';
import { withAbsent } from '../protocol/absent-labels';
import { labelCounts } from '../data/audit';
import { integers } from '../data/batch';
import { answeredOf } from '../data/dataset';
import { imageOf } from '../data/images/shown-image';
import { AuroraError } from '../base/errors';
import { DType } from '../graph/dtype';
import { checkOutput } from './check-output';
import { linearHead } from './head';
import { imageReader, type ImageData, type LabeledImage } from './image-data';
import type { TaskKind } from './kind';
import { labelPredictions } from './answers';
import { labelsLikeNames, lopsided, misspelledLabels, unmeasuredLabels } from './label-findings';
import { ConfusionMatrix } from './metrics/confusion';
import { TopKAccuracy, mostFrequent } from './metrics/accuracy';
import { argmax, softmax } from './softmax';

const classesOf = (examples: Iterable<Pick<LabeledImage, 'label'>>): Int32Array =>
  Int32Array.from(examples, (e) => e.label);

/**
 * One label for each image: a linear head on the first token or on the mean of all, or the model's own logits;
 * cross-entropy.
 */
export const imageClassification = {
  objective: 'cross-entropy',
  ...imageReader,
  head: linearHead,
  checkOutput: (spec, name, info, labels) =>
    checkOutput(spec, name, info, { axes: ['batch'], outputs: labels.length }),
  expected: (examples) => integers(DType.int64, [examples.length], classesOf(examples)),
  weight: () => 1,
  classes: ({ label }) => [label],
  scorer({ labels }) {
    const matrix = new ConfusionMatrix(labels.length);
    const top5 = new TopKAccuracy(5);
    return {
      add({ label }, logits) {
        matrix.add(label, argmax(logits));
        top5.add(label, logits);
      },
      metrics: () => ({
        ...withAbsent(matrix.absentLabels(labels)),
        accuracy: matrix.accuracy(),
        top5Accuracy: top5.accuracy(),
        f1: matrix.f1(),
        macroF1: matrix.macroF1(),
        weightedF1: matrix.weightedF1(),
        examples: matrix.examples,
      }),
    };
  },
  baseline: ({ train, validation, labels }) =>
    mostFrequent(
      classesOf(answeredOf(train.dataset.examples)),
      classesOf(answeredOf(validation.dataset.examples)),
      labels,
      'accuracy',
    ),
  guessLoss: ({ labels }) => Math.log(labels.length),
  facts: (examples, { labels }) => ({
    labels: labelCounts(classesOf(answeredOf(examples)), labels),
  }),
  findings: (spec, data) => [
    ...labelsLikeNames(spec, data),
    ...lopsided(spec, data),
    ...misspelledLabels(data),
    ...unmeasuredLabels(data),
  ],
  predictions: labelPredictions,
  ask({ image }, { train }) {
    const { side, plan } = train.dataset;
    const fits = plan.patches
      ? image && isPatched(image, plan.patches)
      : image?.width === side.width && image.height === side.height;
    if (!image || !fits)
      throw new AuroraError(
        'data',
        `The image is ${image?.width} × ${image?.height}; the model reads ${plan.patches ? `at most ${plan.patches.most} patches of ${plan.patches.side} × ${plan.patches.side}` : `${side.width} × ${side.height}`}.`,
        'Scale the image to that size first.',
      );
    const example = { size: 1, row: 0, label: 0, source: { fitted: imageOf(image) } };
    return { example, answer: (logits) => ({ probabilities: [...softmax(logits)] }) };
  },
} satisfies TaskKind<LabeledImage, ImageData>;
