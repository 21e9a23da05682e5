import { DType } from '../../graph/dtype';
import type { GraphBuilder } from '../../graph/builder';
import type { TokensSpec } from '../../experiment/methods';
import type { AdapterMethod, LayerValues, OnLayer } from './method';

/**
 * Trained rows of an embedding (PEFT's trainable_token_indices and TRAINABLE_TOKENS, tuners/trainable_tokens/layer.py): those of
 * the chosen tokens are replaced by whole trained rows, which start as they are. A language head with the same weight uses
 * them too. Here as a change of the output, h = E[id] + Σ_k [id = k] · (T_k − E_k), and of logits, x · (T_k − E_k) at token k.
 */
export const trainableTokens: AdapterMethod<TokensSpec> = {
  tensors: ({ layer, spec }) => [
    {
      name: 'rows',
      dims: [spec.tokenIndices.length, widthOf(layer)],
      rankAxes: [],
      peftName: 'trainable_tokens_delta',
      init: (_, __, base) => rowsOf(base, layer, spec),
    },
  ],
  frozen: ({ layer, spec }) => [
    {
      name: 'before',
      dims: [spec.tokenIndices.length, widthOf(layer)],
      values: (base) => rowsOf(base, layer, spec),
    },
    ...(layer.isEmbedding
      ? []
      : [
          {
            name: 'places',
            dims: [spec.tokenIndices.length, layer.outFeatures],
            values: () => placesOf(spec, layer.outFeatures),
          },
        ]),
  ],

  delta(g, { x }, p, { layer, spec }, dtype) {
    const change = g.op('Sub', [p.rows, p.before]);
    if (layer.isEmbedding) return { delta: g.op('MatMul', [chosen(g, x, spec.tokenIndices, dtype), change]) };
    return { delta: g.op('MatMul', [g.op('MatMul', [x, g.op('Transpose', [change])]), p.places]) };
  },

  change({ rows }, { layer, spec }, base) {
    // The head's weight is the embedding's, which changes for both.
    if (!layer.isEmbedding) return {};
    const before = rowsOf(base, layer, spec);
    const { inFeatures, outFeatures } = layer;
    const weight = new Float64Array(inFeatures * outFeatures);
    spec.tokenIndices.forEach((token, k) => {
      for (let o = 0; o < outFeatures; o++) {
        const at = k * outFeatures + o;
        weight[o * inFeatures + token] = rows[at] - before[at];
      }
    });
    return { weight };
  },
  neutral: (_, { layer, spec }, base) => ({ rows: rowsOf(base, layer, spec) }),
  sizeLimit: () => Infinity,
  flops({ layer: { inFeatures, outFeatures, isEmbedding }, spec: { tokenIndices } }) {
    const row = isEmbedding ? outFeatures : inFeatures + outFeatures;
    const products = 2 * tokenIndices.length * row;
    return { forward: products + outFeatures, backward: isEmbedding ? products : 2 * products };
  },
  formula: () => 'tokens · hidden size',

  peft: {
    type: 'TRAINABLE_TOKENS',
    loads: { since: '0.15' },
    lacks: ['bias', 'modules_to_save'],
    write: ({ tokenIndices }) => ({ token_indices: tokenIndices, init_weights: true }),
    read: (c) => ({ method: 'trainable-tokens', tokenIndices: c.value('token_indices') as number[] }),
  },
};

/** Rows of an embedding beside another method. */
export const rowsOfTokens = (tokenIndices: number[], embedding: string): TokensSpec => ({
  method: 'trainable-tokens',
  tokenIndices,
  targetModules: [embedding],
});

const widthOf = ({ isEmbedding, inFeatures, outFeatures }: OnLayer['layer']): number =>
  isEmbedding ? outFeatures : inFeatures;

/** The rows of the chosen tokens in the table, (tokens, hidden). */
function rowsOf(base: LayerValues, layer: OnLayer['layer'], { tokenIndices }: TokensSpec): Float32Array {
  const weight = base.weight();
  const width = widthOf(layer);
  const out = new Float32Array(tokenIndices.length * width);
  tokenIndices.forEach((token, k) => {
    for (let i = 0; i < width; i++)
      out[k * width + i] = weight[layer.isEmbedding ? i * layer.inFeatures + token : token * width + i];
  });
  return out;
}

/** (tokens, vocabulary): 1 at each token's place. */
function placesOf({ tokenIndices }: TokensSpec, vocabulary: number): Float32Array {
  const out = new Float32Array(tokenIndices.length * vocabulary);
  tokenIndices.forEach((token, k) => (out[k * vocabulary + token] = 1));
  return out;
}

/** 1 where an id is that token, (…, tokens). */
function chosen(g: GraphBuilder, ids: string, tokens: readonly number[], dtype: number): string {
  const whole = g.op('Cast', [ids], { to: DType.int64 });
  const each = g.op('Unsqueeze', [whole, g.ints([-1])]);
  return g.op('Cast', [g.op('Equal', [each, g.ints([...tokens])])], { to: dtype });
}
