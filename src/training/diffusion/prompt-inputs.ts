import type { Pipeline } from '../../architectures/model-source';
import { DType } from '../../graph/dtype';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import type { ValueInfo } from '../../graph/model';
import { promptTokenizers } from './encode';
import type { PromptEmbedding } from './encoded';
import { conditionsOf } from './sampler';

/**
 * The inputs of a U-Net with its text encoders in one graph: the tokens of each encoder; otherwise a U-Net reads
 * embeddings.
 */
const TOKENS = ['input_ids', 'input_ids_2'];

/** A model's inputs for a prompt, without the axis of the batch. */
export interface PromptInputs {
  /** True if the text encoders read prompts before training. */
  areEmbedded: boolean;
  /** True if they do not read all of a prompt. */
  isCut(prompt: string): boolean;
  of(
    prompt: string,
    timeIds: readonly number[],
    embedding: (prompt: string) => PromptEmbedding,
  ): Readonly<Record<string, HostTensor>>;
}

export function promptInputs(pipeline: Pipeline, inputs: readonly ValueInfo[]): PromptInputs {
  const tokenizers = promptTokenizers(pipeline);
  const reads = inputs.map(({ name }) => name);
  const areEmbedded = !reads.includes(TOKENS[0]!);
  const tokens = (prompt: string): HostTensors =>
    Object.fromEntries(
      tokenizers.map(({ encode, length }, i) => [
        TOKENS[i]!,
        { dtype: DType.int64, dims: [length], data: BigInt64Array.from(encode(prompt).ids, BigInt) },
      ]),
    );
  const sizes = (timeIds: readonly number[]): HostTensor => ({
    dtype: DType.float,
    dims: [timeIds.length],
    data: Float32Array.from(timeIds),
  });
  return {
    areEmbedded,
    isCut: (prompt) => tokenizers.some(({ encode }) => encode(prompt).truncated),
    of(prompt, timeIds, embedding) {
      const all = areEmbedded
        ? rowOf(conditionsOf(embedding(prompt), timeIds))
        : { ...tokens(prompt), time_ids: sizes(timeIds) };
      return Object.fromEntries(Object.entries(all).filter(([name]) => reads.includes(name)));
    },
  };
}

const rowOf = (batch: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { dims, ...tensor }]) => [name, { ...tensor, dims: dims.slice(1) }]),
  );
