import type { Dataset } from '../../data/dataset';
import type { TaskKind } from '../../tasks/kind';

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
export function readings(
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
