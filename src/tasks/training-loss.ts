import { AuroraError } from '../base/errors';
import { nearest } from '../base/nearest';
import { answeredOf, type Answered, type Example } from '../data/dataset';
import { labelIndex } from '../data/labels';
import type { Experiment } from '../experiment/experiment';
import type { TaskKind } from './kind';
import type { TrainingLoss } from './objective';
import type { TaskData } from './task-data';

/**
 * The loss that an experiment trains with, where it is not the plain one.
 *
 * @returns undefined for the plain loss, and where no training data were read
 * @throws AuroraError 'labels' naming a label of task.classWeights that the data do not have
 */
export function trainingLoss<E extends Example>(
  spec: Experiment,
  { classes, weighsRows }: Pick<TaskKind<E>, 'classes' | 'weighsRows'>,
  { train, labels }: TaskData<E>,
): TrainingLoss | undefined {
  if (weighsRows?.(spec)) return { exampleWeights: true };
  const { labelSmoothing = 0, classWeights } = spec.task;
  const { examples } = train.dataset;
  if (!classes || examples.length === 0 || (labelSmoothing === 0 && classWeights === undefined))
    return undefined;
  const weights = (): number[] =>
    classWeights === 'balanced'
      ? balanced(answeredOf(examples), classes, labels.length)
      : named(classWeights!, labels, train.path);
  return { labelSmoothing, ...(classWeights && { classWeights: weights() }) };
}

/**
 * The weight of an example in the mean loss of a step.
 *
 * @param loss that of `trainingLoss`
 */
export function weightIn<E extends Example>(
  { classes, weight }: Pick<TaskKind<E>, 'classes' | 'weight'>,
  loss: TrainingLoss | undefined,
): (example: E) => number {
  const weights = loss?.classWeights;
  return weights ? (example) => classes!(example).reduce((sum, c) => sum + weights[c], 0) : weight;
}

/**
 * Weights with which all classes count the same: examples / (classes · examples of the class), as scikit-learn's
 * compute_class_weight("balanced"). 0 for a class that no example has, which the number of classes leaves out.
 */
function balanced<E extends Example>(
  examples: Iterable<Answered<E>>,
  classesOf: NonNullable<TaskKind<E>['classes']>,
  count: number,
): number[] {
  const counts = new Array<number>(count).fill(0);
  let all = 0;
  for (const example of examples)
    for (const c of classesOf(example)) {
      counts[c]++;
      all++;
    }
  const occurring = counts.filter((n) => n > 0).length;
  return counts.map((n) => (n === 0 ? 0 : Math.fround(all / (occurring * n))));
}

/** The weights as an experiment gives them, and 1 for each label that it leaves out. */
function named(given: Readonly<Record<string, number>>, labels: readonly string[], path: string): number[] {
  const index = labelIndex(labels);
  const weights = labels.map(() => 1);
  for (const [label, weight] of Object.entries(given)) {
    const at = index.get(label);
    if (at === undefined) {
      const near = nearest(label, labels);
      throw new AuroraError(
        'labels',
        `task.classWeights has a weight for the label "${label}", which ${path} does not have${near === undefined ? '' : ` (nearest: "${near}")`}.`,
        'Correct the label, or remove it from task.classWeights.',
      );
    }
    weights[at] = Math.fround(weight);
  }
  return weights;
}
