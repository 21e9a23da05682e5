import { longestExamples } from '../../data/order';
import type { Evaluator, Parameters } from '../../engine/stepper';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';

/**
 * Runs the longest text of each data set once, so that a model with too few positions fails before the first step
 * rather than at the step that meets it.
 */
export async function tryLongest(
  evaluator: Evaluator,
  task: Task,
  micro: MicroBatches,
  parameters: Parameters,
): Promise<void> {
  for (const { dataset } of [task.data.train, task.data.validation]) {
    const [longest] = longestExamples(dataset, 1);
    await micro.run('evaluation', dataset, [longest], async () =>
      evaluator.evaluate(await task.feeds(dataset, [longest]), parameters),
    );
  }
}
