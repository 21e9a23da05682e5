import type { Dataset } from '../../data/dataset';
import { evaluationOrder } from '../../data/row-order';
import { MOST_TEXTS } from '../generation/texts-at-once';
import type { Writer } from '../generation/writer';
import type { Task } from '../task/task';

/** Called while answers are written, with the number of those that are complete; may throw to stop. */
export type WritingWatch = (done: number, of: number) => void;

/** The answers that a model writes to a data set, for examples that are judged by them. */
export class WrittenAnswers {
  /** True if there are any. */
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

  /** Keeps the known facts about an example until its answer is written. */
  readonly hold = (example: number, kept: Float32Array): void => {
    this.kept[example] = kept;
  };

  /**
   * @param open called if there are any
   * @param done gets all that is known of each example, a batch after the other
   */
  async write(
    open: () => Promise<Writer>,
    done: (example: number, kept: Float32Array) => void,
    watch?: WritingWatch,
  ): Promise<void> {
    if (!this.any) return;
    const writer = await open();
    try {
      await this.writeAll(writer, done, watch);
    } finally {
      await writer.dispose();
    }
  }

  private async writeAll(
    writer: Writer,
    done: (example: number, kept: Float32Array) => void,
    watch?: WritingWatch,
  ): Promise<void> {
    const { examples } = this.dataset;
    let before = 0;
    // The writer chooses how many of a batch it writes side by side.
    for (const batch of evaluationOrder(this.dataset, MOST_TEXTS)) {
      const writings = batch.map((example) => this.task.kind.compared!.writing(examples.at(example)!)!);
      const from = before;
      const texts = await writer.write(writings, (now) => watch?.(from + now, examples.length));
      before += batch.length;
      batch.forEach((example, i) =>
        done(example, Float32Array.from([...this.kept[example], ...writings[i].keep(texts[i])])),
      );
    }
  }
}
