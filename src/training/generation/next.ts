import type { Dataset } from '../../data/dataset';
import type { Evaluator, Parameters } from '../../engine/stepper';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import type { Next } from './write';

/** The loss of one token has no next token, and the engine cannot compute it. */
const SHORTEST = 2;

/** Runs a task's model on texts, padded on the right, in parts that fit into memory. */
export const nextTokens =
  (evaluator: Evaluator, task: Task, micro: MicroBatches, like: Dataset, parameters: Parameters): Next =>
  async (texts) => {
    const dataset: Dataset = { ...like, examples: [...texts] };
    return micro.run('evaluation', dataset, [...texts.keys()], async (parts) => {
      const found: Float32Array[] = [];
      for (const part of parts) {
        const length = Math.max(SHORTEST, part.length);
        const { logits } = await evaluator.evaluate(
          await task.feeds(dataset, part.indices, length),
          parameters,
        );
        const vocabulary = logits.dims.at(-1)!;
        part.indices.forEach((text, i) => {
          const last = i * length + texts[text].size - 1;
          found[text] = (logits.data as Float32Array).slice(last * vocabulary, (last + 1) * vocabulary);
        });
      }
      return found;
    });
  };
