import { pick } from '../../data/list';
import { encodePredictions, type PredictionFacts, type PredictLine } from '../../protocol/predictions';
import type { DataSplit } from '../../tasks/task-data';
import type { Seen } from '../measure/measure';
import type { Task } from '../task/task';
import { excerptsOf } from './excerpts';

/** Milliseconds between two results, and to the first one: a page shows them as they come. */
const EVERY_MS = 500;
/** They take at most this share of the time, however large the set. */
const SHARE = 0.1;

/**
 * Reports the predictions so far: now and then, as predictions for those examples alone.
 *
 * @param facts of the predictions that are being made
 * @returns a function that gets each example, with its logits or the numbers kept of them
 */
export function partialPredictions(
  task: Task,
  facts: Omit<PredictionFacts, 'metrics' | 'excerpts'>,
  emit: (line: PredictLine) => void,
): Seen {
  const { validation } = task.data;
  const { examples } = validation.dataset;
  const of = examples.length;
  const seen = new Map<number, Float32Array>();
  const scorer = task.kind.scorer(task.data);
  let next = performance.now() + EVERY_MS;
  return (example, logits, kept) => {
    scorer.add(examples.at(example)!, logits);
    seen.set(example, kept);
    const began = performance.now();
    if (began < next || seen.size === of) return;
    const done = [...seen.keys()].sort((a, b) => a - b);
    const part: DataSplit = {
      ...validation,
      dataset: { ...validation.dataset, examples: pick(examples, done) },
    };
    const answers = task.kind.predictions(
      part,
      task.data,
      done.map((i) => seen.get(i)!),
    );
    const loss = answers.columns.loss.reduce((sum, x) => sum + x, 0) / done.length;
    const metrics = { loss, ...scorer.metrics(loss) };
    const predictions = encodePredictions({
      ...facts,
      metrics,
      excerpts: excerptsOf(part, answers),
      ...answers,
    });
    emit({ kind: 'partial', done: done.length, of, predictions });
    next = performance.now() + Math.max(EVERY_MS, (performance.now() - began) / SHARE);
  };
}
