import { activationOf } from '../../blocks/activation';
import { paddingBias } from '../../blocks/attention';
import { gated, selfAttention } from '../../blocks/decoder';
import { rmsNorm } from '../../blocks/layers';
import { ropeOf, rotary } from '../../blocks/rope';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { decoderSize } from '../../settings';

const SIZE = {
  hidden: 768,
  inner: 3072,
  layers: 12,
  heads: 12,
  vocabulary: 128256,
  epsilon: 1e-5,
};

/** transformers' EuroBertConfig and modular_eurobert.py: Llama's layers, whose tokens also attend to later ones. */
export const eurobert: Family = {
  prefixes: ['model.'],
  marker: 'embed_tokens.weight',
  build(net, config) {
    const size = decoderSize(config, SIZE);
    const { hidden, layers, heads, keyValueHeads, width, vocabulary, epsilon } = size;
    const bias = config.flag('attention_bias', false);
    const mlpBias = config.flag('mlp_bias', false);
    const act = activationOf(config, 'hidden_act', 'silu');
    const { ids, mask, rows } = textInputs(net);
    let x = flat(net, embedding(net, 'embed_tokens', ids, vocabulary, hidden), hidden);
    const rope = ropeOf(config, { width, positions: 8192 });
    const attention = {
      size,
      shape: { heads, keyValueHeads, width, rows, bias: paddingBias(net, mask) },
      biases: { qkv: bias, output: bias },
      rotate: rotary(net, counted(net, rows), rope, width),
    };
    const norm = (name: string, y: string) => rmsNorm(net, name, y, hidden, epsilon);
    for (let i = 0; i < layers; i++) {
      const at = `layers.${i}`;
      const before = norm(`${at}.input_layernorm`, x);
      const middle = net.op(at, 'Add', [x, selfAttention(net, `${at}.self_attn`, before, attention)]);
      const after = norm(`${at}.post_attention_layernorm`, middle);
      x = net.op(at, 'Add', [middle, gated(net, `${at}.mlp`, after, size, act, mlpBias)]);
    }
    hiddenOutput(net, norm('norm', x), rows, hidden);
  },
};
