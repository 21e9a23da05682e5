import { bertTensors, TINY, type Stored } from './folders';

type Tensors = Record<string, Stored>;

/** The weights of a tiny BERT under other names, of which the first that fits counts. */
const renamed = (prefix: string, names: readonly [from: string, to: string][]): Tensors =>
  Object.fromEntries(
    Object.entries(bertTensors('F32', prefix)).map(([name, tensor]) => {
      const found = names.find(([from]) => name.includes(from));
      return [found ? name.replace(...found) : name, tensor];
    }),
  );

const ALBERT_LAYER = 'encoder.albert_layer_groups.0.albert_layers.0';
const { hidden, inner, vocabulary } = TINY;

/** The tensors of an ALBERT with one layer. */
export const albertTensors = (): Tensors => ({
  ...renamed('albert.', [
    ['encoder.layer.0.attention.self', `${ALBERT_LAYER}.attention`],
    ['encoder.layer.0.attention.output', `${ALBERT_LAYER}.attention`],
    ['encoder.layer.0.intermediate.dense', `${ALBERT_LAYER}.ffn`],
    ['encoder.layer.0.output.dense', `${ALBERT_LAYER}.ffn_output`],
    ['encoder.layer.0.output.LayerNorm', `${ALBERT_LAYER}.full_layer_layer_norm`],
  ]),
  'albert.encoder.embedding_hidden_mapping_in.weight': { dims: [hidden, hidden] },
  'albert.encoder.embedding_hidden_mapping_in.bias': { dims: [hidden] },
});

/** The tensors of a DeBERTa with transformers' defaults. */
export const debertaTensors = (): Tensors =>
  renamed('deberta.', [
    ['query', 'query_proj'],
    ['key', 'key_proj'],
    ['value', 'value_proj'],
  ]);

/** The tensors of an XLM-RoBERTa-XL. */
export const xlmRobertaXlTensors = (): Tensors =>
  renamed('roberta.', [
    ['embeddings.LayerNorm', 'encoder.LayerNorm'],
    ['attention.output.LayerNorm', 'attention.self_attn_layer_norm'],
    ['output.LayerNorm', 'LayerNorm'],
  ]);

/** A config.json for `modernbertTensors`. */
export const MODERNBERT = {
  model_type: 'modernbert',
  hidden_size: hidden,
  intermediate_size: inner,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  vocab_size: vocabulary,
};

export const modernbertTensors = (): Tensors => ({
  'model.embeddings.tok_embeddings.weight': { dims: [vocabulary, hidden] },
  'model.embeddings.norm.weight': { dims: [hidden] },
  'model.layers.0.attn.Wqkv.weight': { dims: [3 * hidden, hidden] },
  'model.layers.0.attn.Wo.weight': { dims: [hidden, hidden] },
  'model.layers.0.mlp_norm.weight': { dims: [hidden] },
  'model.layers.0.mlp.Wi.weight': { dims: [2 * inner, hidden] },
  'model.layers.0.mlp.Wo.weight': { dims: [hidden, inner] },
  'model.final_norm.weight': { dims: [hidden] },
});
