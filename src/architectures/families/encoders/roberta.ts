import { bertLike } from './bert';
import { BASE_SIZE } from '../../settings/encoder-size';

/**
 * RoBERTa and its relatives: BERT whose positions begin after the padding id and leave out padding tokens
 * (create_position_ids_from_input_ids in transformers' modeling_roberta.py).
 */
const robertaLike = (vocabulary: number) =>
  bertLike('roberta.', {
    sizes: BASE_SIZE,
    embeddings: (config) => ({
      vocabulary,
      types: 2,
      first: config.index('pad_token_id', 1) + 1,
      skipsPadding: true,
    }),
  });

export const roberta = robertaLike(50265);

/** XLM-RoBERTa and CamemBERT. */
export const xlmRoberta = robertaLike(30522);
