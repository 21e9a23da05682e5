import { DType } from '../../graph/dtype';
import { layerNorm } from './layers';
import { POSITIONS, type Network } from './network';
import { counted, embedding, flat, integers, type TextInputs } from './text';
import type { Config } from '../folder/config';

/** The differences between the embeddings of BERT and its relatives. */
export interface BertEmbeddings {
  vocabulary: number;
  /** Kinds of tokens if config.json does not state it; 0 for a model that has no kinds. */
  types: number;
  /** The first row of the table of positions that a token has; the rows before it are the padding's. */
  first: number;
  /** True if padding tokens, those with the id before `first`, are not counted; the mask does not matter to that. */
  skipsPadding: boolean;
}

/**
 * The sum of the embeddings of words, kinds of tokens and positions, normed.
 *
 * @param size of an embedding
 * @returns (tokens, size)
 */
export function bertEmbeddings(
  net: Network,
  config: Config,
  inputs: TextInputs,
  { size, epsilon }: { size: number; epsilon: number },
  { vocabulary, types: usual, first, skipsPadding }: BertEmbeddings,
): string {
  const table = (name: string, ids: string, count: number) =>
    embedding(net, `embeddings.${name}`, ids, count, size);
  let sum = table('word_embeddings', inputs.ids, config.count('vocab_size', vocabulary));
  if (usual > 0) {
    const types = config.count('type_vocab_size', usual);
    // With one type, tokens do not differ, and tokenizers do not state it.
    const ids = types > 1 ? integers(net, 'token_type_ids') : net.g.constant(DType.int64, [1, 1], [0]);
    sum = net.op('embeddings', 'Add', [sum, table('token_type_embeddings', ids, types)]);
  }
  const most = config.count('max_position_embeddings', 512);
  net.metadata.set(POSITIONS, String(most - first));
  const places = skipsPadding ? afterPadding(net, inputs.ids, first - 1) : counted(net, inputs.rows);
  sum = net.op('embeddings', 'Add', [sum, table('position_embeddings', places, most)]);
  return layerNorm(net, 'embeddings.LayerNorm', flat(net, sum, size), size, epsilon);
}

/** Places of tokens other than padding, counted from the one after its id; padding has the place of its id. */
function afterPadding(net: Network, ids: string, id: number): string {
  const padding = net.g.scalar(id, DType.int64);
  const isPadding = net.op('embeddings', 'Equal', [ids, padding]);
  const real = net.op('embeddings', 'Cast', [net.op('embeddings', 'Not', [isPadding])], { to: DType.int64 });
  const count = net.op('embeddings', 'CumSum', [real, net.g.scalar(1, DType.int64)]);
  return net.op('embeddings', 'Add', [net.op('embeddings', 'Mul', [count, real]), padding]);
}
