import type { Dataset } from '../../data/dataset';
import { evaluationOrder } from '../../data/order';
import { write, type Next } from '../generation/write';
import type { Task } from '../task/task';

/** The answers that a model writes to a data set, for examples that are judged by them. */
export class WrittenAnswers {
  /** Whether there are any. */
  readonly any: boolean;
  private readonly kept: Float32Array[] = [];

  constructor(
    private readonly task: Task,
    private readonly dataset: Dataset,
  ) {
    const { compared } = task.kind;
    // All examples of an experiment are judged alike.
    const first = compared && dataset.examples.at(0);
    this.any = first !== undefined && compared!.writing(first) !== undefined;
  }

  /** Keeps what is known of an example until its answer is written. */
  readonly hold = (example: number, kept: Float32Array): void => {
    this.kept[example] = kept;
  };

  /** @param done gets all that is known of each example, a batch after the other */
  async write(next: Next, done: (example: number, kept: Float32Array) => void): Promise<void> {
    if (!this.any) return;
    const { examples } = this.dataset;
    const { batchSize } = this.task.spec.training;
    for (const batch of evaluationOrder(this.dataset, batchSize)) {
      const writings = batch.map((example) => this.task.kind.compared!.writing(examples.at(example)!)!);
      const texts = await write(writings, batchSize, next);
      batch.forEach((example, i) =>
        done(example, Float32Array.from([...this.kept[example], ...writings[i].keep(texts[i])])),
      );
    }
  }
}
