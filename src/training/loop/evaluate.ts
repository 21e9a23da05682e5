import { type Dataset, sizeOf } from '../../data/dataset';
import { evaluationOrder } from '../../data/row-order';
import type { EvaluationResult, Evaluator, Parameters } from '../../engine/stepper';
import type { Evaluated } from '../../protocol/events';
import type { TaskKind } from '../../tasks/kind';
import { openWriter } from '../generation/writer';
import type { Part } from '../micro-batch/default-parts';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import { WrittenAnswers, type WritingWatch } from './written-answers';

/**
 * Mean loss and metrics over a whole data set, with the same batches and so the same bits every time. 'diverged' if the
 * loss or a logit is not finite: argmax would then pick the first class, which is not a prediction.
 *
 * @param seen gets each example's logits, or the numbers kept of its sequences, in the order in which they are computed
 * @param watch called while answers are written; may throw to stop
 */
export async function evaluateDataset(
  evaluator: Evaluator,
  task: Task,
  micro: MicroBatches,
  whole: Dataset,
  parameters: Parameters,
  seen?: (example: number, logits: Float32Array) => void,
  watch?: WritingWatch,
): Promise<Evaluated> {
  const scorer = task.kind.scorer(task.data);
  const judge = (example: number, logits: Float32Array) => {
    scorer.add(whole.examples.at(example)!, logits);
    seen?.(example, logits);
  };
  const written = new WrittenAnswers(task, whole);
  const { dataset, add } = readings(task.kind, whole, written.any ? written.hold : judge);
  let lossSum = 0;
  let count = 0;
  const batches = evaluationOrder(dataset, task.spec.training.batchSize);
  for (const [at, indices] of batches.entries()) {
    task.readAhead(dataset, [...indices, ...(batches[at + 1] ?? [])]);
    const results = await micro.run('evaluation', dataset, indices, async (parts) => {
      const out: (EvaluationResult & Part)[] = [];
      for (const part of parts)
        out.push({
          ...(await evaluator.evaluate(await task.feeds(dataset, part.indices, part.length), parameters)),
          ...part,
        });
      return out;
    });
    for (const result of results) {
      lossSum += result.lossSum;
      count += result.count;
      for (const [i, example] of result.indices.entries()) {
        const logits = logitsOf(result, i, sizeOf(dataset, example));
        if (!logits.every(Number.isFinite)) return 'diverged';
        add(example, logits);
      }
    }
  }
  if (!Number.isFinite(lossSum)) return 'diverged';
  await written.write(() => openWriter(evaluator, task, micro, whole, parameters), judge, watch);
  return { loss: lossSum / count, ...scorer.metrics(lossSum / count) };
}

/**
 * The logits of an example, as a view: a vector, one for each of its tokens without the padding after them, or an
 * image.
 */
function logitsOf({ logits }: EvaluationResult, at: number, size: number): Float32Array {
  const [rows, ...dims] = logits.dims;
  const data = logits.data as Float32Array;
  const stride = data.length / rows;
  const length = dims.length === 2 ? size * dims[1] : stride;
  return data.subarray(at * stride, at * stride + length);
}

/** The data set that the model is run on, and the receiver of its logits. */
export interface Readings {
  dataset: Dataset;
  /** @param at the index in `dataset`; in any order */
  add(at: number, logits: Float32Array): void;
}

/**
 * The examples themselves or, for a kind that compares sequences, those of all examples.
 *
 * @param done gets each example's logits, or the numbers kept of its sequences once all of them were run
 */
function readings(
  { compared }: Pick<TaskKind, 'compared'>,
  dataset: Dataset,
  done: (example: number, logits: Float32Array) => void,
): Readings {
  if (!compared) return { dataset, add: done };
  const sequences = dataset.examples.map((example) => compared.sequences(example));
  const owners = sequences.flatMap((own, example) => own.map((_, place) => ({ example, place })));
  const kept = sequences.map((own) => ({ parts: own.map((): readonly number[] => []), left: own.length }));
  const examples = sequences.flat();
  return {
    dataset: { ...dataset, examples },
    add(at, logits) {
      const { example, place } = owners[at];
      const own = kept[example];
      own.parts[place] = compared.keep(examples[at], logits);
      if (--own.left === 0) done(example, Float32Array.from(own.parts.flat()));
    },
  };
}
