import { AuroraError } from '../base/errors';
import { DType, dtypeName } from '../graph/dtype';
import type { HostTensor, HostTensors } from '../graph/tensor-infos';
import type { ValueInfo } from '../graph/model';
import { DOCUMENTS } from '../graph/passes/keep-documents-apart';
import { sizeOf, type Dataset, type TextDataset, type TextExample } from './dataset';

/** The value of each known input at a position of an example; undefined where the example has ended. */
const INPUTS: Record<string, (example: TextExample, position: number, padId: number) => number> = {
  input_ids: ({ ids }, i, padId) => ids[i] ?? padId,
  attention_mask: ({ ids }, i) => (i < ids.length ? 1 : 0),
  token_type_ids: ({ typeIds }, i) => typeIds?.[i] ?? 0,
  position_ids: (example, i) => i - beginAt(example, i),
};

/** The inputs of a model that are made from tokenized texts. */
export const TEXT_INPUTS: readonly string[] = Object.keys(INPUTS);

/** The beginning of the text of a position; padding counts to the last text. */
const beginAt = ({ begins }: TextExample, i: number): number =>
  begins ? begins[Math.min(i, begins.length - 1)]! : 0;

/** Throws a model error unless every input of the model can be made from tokenized texts. */
export function checkInputs(inputs: readonly ValueInfo[], modelPath: string): void {
  const unknown = inputs.filter((input) => !TEXT_INPUTS.includes(input.name));
  if (unknown.length > 0)
    throw new AuroraError(
      'model',
      `${modelPath} has inputs that texts cannot fill: ${unknown.map((i) => i.name).join(', ')}.`,
      `Known are ${TEXT_INPUTS.join(', ')}. Export the model without other inputs. A key/value cache is left out if it has Optimum's names and shapes: past_key_values.0.key with its output present.0.key, of [batch, heads, tokens, size].`,
    );
  for (const { name, dtype, shape } of inputs) {
    if (dtype !== 0 && dtype !== DType.int64 && dtype !== DType.int32)
      throw new AuroraError(
        'model',
        `${modelPath}: the input ${name} is ${dtypeName(dtype)}, not int64 or int32.`,
      );
    if (shape && (shape.length !== 2 || shape.some((d) => typeof d === 'number')))
      throw new AuroraError(
        'model',
        `${modelPath}: the input ${name} has the shape [${shape.map((d) => d ?? '?').join(', ')}], not [batch, sequence] with both free.`,
        'Export the model again with dynamic axes for batch and sequence.',
      );
  }
}

/** The input that `makeInputs` fills besides the model's own inputs, for a graph that keeps packed texts apart. */
export const documentsInput: ValueInfo = { name: DOCUMENTS, dtype: DType.float, shape: undefined };

/**
 * An integer tensor of either width. The wider one is written in halves (little-endian, as all systems are that have the
 * runtime): a BigInt for each token took most of the time of making a batch.
 */
export function integers(dtype: number, dims: number[], values: Int32Array): HostTensor {
  if (dtype === DType.int32) return { dtype, dims, data: values };
  const data = new BigInt64Array(values.length);
  const halves = new Int32Array(data.buffer);
  for (let i = 0; i < values.length; i++) {
    halves[2 * i] = values[i]!;
    halves[2 * i + 1] = values[i]! >> 31;
  }
  return { dtype: DType.int64, dims, data };
}

/** The length that a batch is padded to by default. */
export const lengthOf = (dataset: Dataset, indices: readonly number[]): number =>
  Math.max(...indices.map((i) => sizeOf(dataset, i)));

/**
 * The model's inputs, each [batch, length], right-padded, in the integer type it declares (int64 by default). The
 * inputs must have passed `checkInputs`.
 *
 * @param length that of the longest example by default
 */
export function makeInputs(
  dataset: TextDataset,
  indices: readonly number[],
  inputs: readonly ValueInfo[],
  length = lengthOf(dataset, indices),
): HostTensors {
  const examples = indices.map((i) => dataset.examples.at(i)!);
  const tensors = inputs.map(({ name, dtype }): [string, HostTensor] => {
    const valueAt = name === DOCUMENTS ? beginAt : INPUTS[name]!;
    const values = new Int32Array(examples.length * length);
    examples.forEach((example, row) => {
      for (let i = 0; i < length; i++) values[row * length + i] = valueAt(example, i, dataset.padId);
    });
    const dims = [examples.length, length];
    if (dtype === DType.float) return [name, { dtype, dims, data: Float32Array.from(values) }];
    return [name, integers(dtype, dims, values)];
  });
  return Object.fromEntries(tensors);
}
