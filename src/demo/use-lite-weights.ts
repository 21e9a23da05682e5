import { AuroraError } from '../base/errors';
import type { Weight } from './tfjs-weights';

/** USE-lite's sizes. The first layer reads embeddings, so its attention is narrower than its output. */
export const USE_LITE = {
  vocabulary: 8002,
  embedding: 256,
  hidden: 512,
  layers: 2,
  heads: 4,
  intermediate: 1536,
  maxLength: 128,
} as const;

/** A layer's input and attention width. */
export const layerWidth = (layer: number): number => (layer === 0 ? USE_LITE.embedding : USE_LITE.hidden);

/**
 * TensorFlow's weights under the names that a PyTorch exporter would give them; linear weights stay [in, out], as
 * MatMul reads them, and the fused q, k, v are split so that each can be adapted separately.
 */
export function useLiteWeights(source: ReadonlyMap<string, Weight>): Map<string, Weight> {
  const out = new Map<string, Weight>();
  const find = (pattern: RegExp): Weight => {
    const names = [...source.keys()].filter((name) => pattern.test(name));
    if (names.length !== 1)
      throw new AuroraError(
        'model',
        `${names.length} weights of the package match ${pattern}, expected one.`,
      );
    return source.get(names[0])!;
  };
  const put = (module: string, weight: Weight, bias: Weight) => {
    out.set(`${module}.weight`, weight);
    out.set(`${module}.bias`, bias);
  };

  out.set('embeddings.word_embeddings.weight', find(/Embeddings_en$/));
  out.set('embeddings.inverse_timescales', find(/TimingSignal\/ExpandDims_1$/));
  for (let layer = 0; layer < USE_LITE.layers; layer++) {
    const ours = `encoder.layer.${layer}`;
    const at = (rest: string) => find(new RegExp(`Layer_${layer}/TransformerLayer/${rest}`));
    const norm = (module: string, scope: string) =>
      put(
        `${ours}.${module}`,
        at(`${scope}/layer_norm/layer_norm_scale`),
        at(`${scope}/layer_norm/layer_norm_bias`),
      );

    norm('attention_norm', 'layer_prepostprocess');
    const qkv = thirds(matrix(at('MultiheadAttention/qkv_transform_single/kernel')));
    const qkvBias = thirds(at('MultiheadAttention/qkv_transform_single/bias'));
    for (const [i, name] of ['query', 'key', 'value'].entries())
      put(`${ours}.attention.${name}`, qkv[i], qkvBias[i]);
    put(
      `${ours}.attention.output`,
      matrix(at('MultiheadAttention/output_transform_single/kernel')),
      at('MultiheadAttention/output_transform_single/bias'),
    );
    if (layerWidth(layer) !== USE_LITE.hidden) put(`${ours}.residual`, at('dense/kernel'), at('dense/bias'));
    norm('ffn_norm', 'FFN/layer_prepostprocess');
    put(`${ours}.ffn.fc1`, at('FFN/conv1/Tensordot/Reshape_1$'), at('FFN/conv1/bias'));
    put(`${ours}.ffn.fc2`, at('FFN/conv2/Tensordot/Reshape_1$'), at('FFN/conv2/bias'));
  }
  put('pooler.dense', find(/tanh_layer_0\/weights$/), find(/tanh_layer_0\/bias$/));
  return out;
}

/** A 1×1 convolution kernel [1, 1, in, out] as a matrix. */
const matrix = ({ shape, data }: Weight): Weight => ({ shape: shape.slice(-2), data });

/** Three equal parts along the last axis. */
function thirds({ shape, data }: Weight): Weight[] {
  const columns = shape[shape.length - 1];
  const width = columns / 3;
  return [0, 1, 2].map((part) => ({
    shape: [...shape.slice(0, -1), width],
    data: data.filter((_, i) => Math.floor((i % columns) / width) === part),
  }));
}
