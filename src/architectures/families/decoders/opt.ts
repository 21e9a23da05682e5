import { DType } from '../../../graph/dtype';
import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, feedForward, selfAttention } from '../../blocks/decoder';
import { bareLayerNorm, layerNorm, linear } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import { embedding, flat, inRows } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'embed_tokens';
const EPSILON = 1e-5;

/**
 * transformers' OPTConfig and modeling_opt.py, also Galactica: learned positions counted from the mask. OPT-350M has its
 * norms after each part, and narrower embeddings.
 */
export const opt: Family = {
  prefixes: ['model.decoder.', 'decoder.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const hidden = config.count('hidden_size', 768);
  const heads = config.count('num_attention_heads', 12);
  const layers = config.layers('num_hidden_layers', 12);
  const inner = config.count('ffn_dim', 3072);
  const vocabulary = config.count('vocab_size', 50272);
  const narrow = config.count('word_embed_proj_dim', hidden);
  const width = headWidth(config, hidden, heads);
  const act = activationOf(config, 'activation_function', 'relu');
  const bias = config.flag('enable_bias', true);
  const affine = config.flag('layer_norm_elementwise_affine', true);
  const isBefore = config.flag('do_layer_norm_before', true);
  const isNormed = isBefore && !config.flag('_remove_final_layer_norm', false);
  const inputs = new DecoderInputs(net, config);
  const norm = (name: string, y: string) =>
    affine ? layerNorm(net, name, y, hidden, EPSILON) : bareLayerNorm(net, name, y, hidden, EPSILON);
  let x = placed(net, config, inputs, { hidden, narrow, vocabulary });
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    /** The sum of x and a part of the layer, with the norm before the part or after the sum. */
    const added = (name: string, y: string, part: (read: string) => string) => {
      const sum = net.op(at, 'Add', [y, part(isBefore ? norm(`${at}.${name}`, y) : y)]);
      return isBefore ? sum : norm(`${at}.${name}`, sum);
    };
    const size = { hidden, heads, keyValueHeads: heads, width };
    const middle = added('self_attn_layer_norm', x, (read) =>
      selfAttention(net, `${at}.self_attn`, read, {
        ...{ size, shape: inputs.shape(size, i), output: 'out_proj' },
        biases: { qkv: bias, output: bias },
      }),
    );
    x = added('final_layer_norm', middle, (read) =>
      feedForward(net, at, read, { hidden, inner }, act, { up: 'fc1', down: 'fc2', bias }),
    );
  }
  if (isNormed) x = norm('final_layer_norm', x);
  if (narrow !== hidden) x = linear(net, 'project_out', x, { from: hidden, to: narrow, bias: false });
  const end = { embedding: EMBEDDING, tied: true };
  decoderOutputs(net, config, x, inputs.rows, { vocabulary, hidden: narrow }, end);
}

/** The table's first two rows are no positions: padding has the second. */
const FIRST = 2;

/** The embedded tokens with those of their positions: (tokens, hidden). */
function placed(
  net: Network,
  config: Config,
  inputs: DecoderInputs,
  { hidden, narrow, vocabulary }: { hidden: number; narrow: number; vocabulary: number },
): string {
  const most = config.count('max_position_embeddings', 2048);
  net.metadata.set(POSITIONS, String(most));
  const tokens = inputs.embedded(EMBEDDING, { vocabulary, hidden: narrow });
  const project = { from: narrow, to: hidden, bias: false };
  const wide = narrow === hidden ? tokens : linear(net, 'project_in', tokens, project);
  const rows = net.op('', 'Add', [inputs.countedNew, net.g.scalar(FIRST - 1, DType.int64)]);
  const places = embedding(net, 'embed_positions', rows, most + FIRST, hidden);
  return flat(net, net.op('', 'Add', [inRows(net, wide, inputs.rows, hidden), places]), hidden);
}
