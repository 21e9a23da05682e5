import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import { layerNorm } from './layers';
import { type Network, POSITIONS } from './network';
import { counted, embedding, flat, integers, type TextInputs } from './text';

/** The differences between the embeddings of BERT and its relatives. */
export interface BertEmbeddings {
  vocabulary: number;
  /** Kinds of tokens if config.json does not state it; 0 for a model that has no kinds. */
  types: number;
  /** Rows of the table of positions if config.json does not state them; 512 by default. */
  positions?: number;
  /**
   * The first row of the table of positions that a token has; the rows before it are the padding's. Undefined for a model
   * without that table.
   */
  first?: number;
  /** True if padding tokens, those with the id before `first`, are not counted; the mask does not matter to that. */
  skipsPadding?: boolean;
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
  own: BertEmbeddings,
): string {
  const sum = embeddingSum(net, config, inputs, size, own);
  return layerNorm(net, 'embeddings.LayerNorm', flat(net, sum, size), size, epsilon);
}

/**
 * The sum of the embeddings of words, kinds of tokens and positions.
 *
 * @param size of an embedding
 * @returns (batch, sequence, size)
 */
export function embeddingSum(
  net: Network,
  config: Config,
  inputs: TextInputs,
  size: number,
  own: BertEmbeddings,
): string {
  const vocabulary = config.count('vocab_size', own.vocabulary);
  const words = embedding(net, 'embeddings.word_embeddings', inputs.ids, vocabulary, size);
  return withPlaces(net, inputs, words, size, {
    types: own.types > 0 ? config.count('type_vocab_size', own.types) : 0,
    positions:
      own.first === undefined ? undefined : config.count('max_position_embeddings', own.positions ?? 512),
    first: own.first,
    skipsPadding: own.skipsPadding,
  });
}

/** The tables that are added to embedded words. */
export interface Places {
  /** Rows of the table of kinds of tokens; 0 without one. */
  types: number;
  /** Rows of the table of positions; undefined without one. */
  positions?: number;
  first?: number;
  skipsPadding?: boolean;
}

/**
 * Embedded words with the embeddings of kinds of tokens and positions added, as BERT and its relatives name those.
 *
 * @param words (batch, sequence, size)
 * @returns the same shape
 */
export function withPlaces(
  net: Network,
  inputs: TextInputs,
  words: string,
  size: number,
  { types, positions, first = 0, skipsPadding = false }: Places,
): string {
  const table = (name: string, ids: string, count: number) =>
    embedding(net, `embeddings.${name}`, ids, count, size);
  let sum = words;
  if (types > 0) {
    // With one type, tokens do not differ, and tokenizers do not state it.
    const ids = types > 1 ? integers(net, 'token_type_ids') : net.g.constant(DType.int64, [1, 1], [0]);
    sum = net.op('embeddings', 'Add', [sum, table('token_type_embeddings', ids, types)]);
  }
  if (positions === undefined) return sum;
  net.metadata.set(POSITIONS, String(positions - first));
  const places = skipsPadding ? afterPadding(net, inputs.ids, first - 1) : counted(net, inputs.rows);
  return net.op('embeddings', 'Add', [sum, table('position_embeddings', places, positions)]);
}

/** Places of tokens other than padding, counted from the one after its id; padding has the place of its id. */
function afterPadding(net: Network, ids: string, id: number): string {
  const padding = net.g.scalar(id, DType.int64);
  const isPadding = net.op('embeddings', 'Equal', [ids, padding]);
  const real = net.op('embeddings', 'Cast', [net.op('embeddings', 'Not', [isPadding])], { to: DType.int64 });
  const count = net.op('embeddings', 'CumSum', [real, net.g.scalar(1, DType.int64)]);
  return net.op('embeddings', 'Add', [net.op('embeddings', 'Mul', [count, real]), padding]);
}
