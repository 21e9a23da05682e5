import { own } from '../../base/names';
import { isFloat } from '../../graph/dtype';
import type { Graph, ValueInfo } from '../../graph/model';

export interface BatchSize {
  /** Examples in a step. */
  batch: number;
  /** Tokens of each text. */
  length: number;
  /** The usual sizes of open axes, by their names in the model: they come before the others. */
  usual?: Readonly<Record<string, number>>;
}

/** The size of images whose file leaves it open: that of most models' training. */
const IMAGE = { channels: 3, side: 224 };

/** Sizes of a model's inputs for a batch: an image's own, and of texts the length. */
export function inputSizes(
  { inputs, initializers }: Graph,
  { batch, length, usual = {} }: BatchSize,
): Map<string, number[]> {
  const sizeOf = ({ dtype, shape }: ValueInfo, axis: number): number => {
    if (axis === 0) return batch;
    if (!isFloat(dtype) || shape!.length !== 4) return length;
    return axis === 1 ? IMAGE.channels : IMAGE.side;
  };
  const sizes = new Map<string, number[]>();
  for (const input of inputs) {
    if (!input.shape || initializers.has(input.name)) continue;
    sizes.set(
      input.name,
      input.shape.map((d, axis) => {
        if (typeof d === 'number') return d;
        return (axis > 0 && d !== undefined ? own(usual, d) : undefined) ?? sizeOf(input, axis);
      }),
    );
  }
  return sizes;
}

/**
 * The reason why no batch of another size than the file's can be computed: exporters write its size into the operators,
 * too.
 */
export function fixedBatch({ inputs, initializers }: Graph): string | undefined {
  const fixed = inputs.find(
    ({ name, shape = [] }) => !initializers.has(name) && shape.length > 1 && typeof shape[0] === 'number',
  );
  return (
    fixed &&
    `The input ${fixed.name} is for batches of ${fixed.shape![0]}. Export the model again with a dynamic batch axis (dynamic_axes of torch.onnx.export).`
  );
}

/** True if a model reads texts rather than images. */
export const readsTexts = ({ inputs }: Graph): boolean =>
  inputs.some(({ dtype, shape }) => !isFloat(dtype) && shape?.length === 2);
