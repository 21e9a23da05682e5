import { bertTensors, TINY, type Stored } from './folders';

/** From BERT's names to DistilBERT's. */
const RENAMED: readonly [string, string][] = [
  ['bert.', 'distilbert.'],
  ['encoder.layer', 'transformer.layer'],
  ['attention.self.query', 'attention.q_lin'],
  ['attention.self.key', 'attention.k_lin'],
  ['attention.self.value', 'attention.v_lin'],
  ['attention.output.dense', 'attention.out_lin'],
  ['attention.output.LayerNorm', 'sa_layer_norm'],
  ['intermediate.dense', 'ffn.lin1'],
  ['output.dense', 'ffn.lin2'],
  ['output.LayerNorm', 'output_layer_norm'],
];

/** A config.json for `distilbertTensors`. */
export const DISTILBERT = {
  model_type: 'distilbert',
  dim: TINY.hidden,
  hidden_dim: TINY.inner,
  n_heads: 2,
  n_layers: TINY.layers,
  vocab_size: TINY.vocabulary,
  max_position_embeddings: TINY.positions,
};

/** The weights of a BERT without types of tokens, under DistilBERT's names. */
export const distilbertTensors = (bert: Record<string, Stored> = bertTensors()): Record<string, Stored> =>
  Object.fromEntries(
    Object.entries(bert)
      .filter(([name]) => !name.includes('token_type'))
      .map(([name, tensor]) => [RENAMED.reduce((n, [from, to]) => n.replace(from, to), name), tensor]),
  );
