import { AuroraError } from '../../base/errors';
import { activationOf } from '../blocks/activation';
import { attention, causalBias } from '../blocks/attention';
import { linear, rmsNorm } from '../blocks/layers';
import type { Network } from '../blocks/network';
import { inverseFrequencies, rotary } from '../blocks/rotary';
import {
  counted,
  embedding,
  flat,
  hasLanguageHead,
  hiddenOutput,
  languageHead,
  textInputs,
} from '../blocks/text';
import type { Family } from '../family';
import type { Config } from '../folder/config';
import { headWidth } from './encoder-size';

const EMBEDDING = 'embed_tokens';

/** In what models that are built like Llama differ. */
export interface LlamaVariant {
  /** Of sizes that config.json does not give. */
  defaults: { inner: number; vocabulary: number; keyValueHeads?: number };
  /** Which linear layers have a bias. */
  biases(config: Config): { qkv: boolean; output: boolean; mlp: boolean };
  /** How many tokens a layer attends to, the current one included; undefined for all up to it. */
  window(config: Config, layer: number): number | undefined;
}

/** Llama and its relatives, as LlamaModel and LlamaForCausalLM in transformers. */
export const llamaLike = (variant: LlamaVariant): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  build: (net, config) => build(net, config, variant),
});

/** LLaMA 1 to 3, SmolLM and others (transformers' modeling_llama.py). */
export const llama = llamaLike({
  defaults: { inner: 11008, vocabulary: 32000 },
  biases(config) {
    const attends = config.flag('attention_bias', false);
    return { qkv: attends, output: attends, mlp: config.flag('mlp_bias', false) };
  },
  window: () => undefined,
});

function build(net: Network, config: Config, variant: LlamaVariant): void {
  const { hidden, inner, layers, heads, keyValueHeads, width, epsilon, vocabulary } = sizes(config, variant);
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = variant.biases(config);
  const { ids, mask, rows } = textInputs(net);
  let x = flat(net, embedding(net, EMBEDDING, ids, vocabulary, hidden), hidden);
  const positions = counted(net, rows);
  const rotate = rotary(net, positions, inverseFrequencies(config, width, 10000));
  const masks = new Map<number | undefined, string>();
  const biasOf = (window: number | undefined): string => {
    const bias = masks.get(window) ?? causalBias(net, mask, positions, window);
    masks.set(window, bias);
    return bias;
  };
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const self = `${at}.self_attn`;
    const shape = { heads, keyValueHeads, width, rows, bias: biasOf(variant.window(config, i)) };
    const before = rmsNorm(net, `${at}.input_layernorm`, x, hidden, epsilon);
    const project = (name: string, count: number) =>
      linear(net, `${self}.${name}`, before, { from: hidden, to: count * width, bias: biases.qkv });
    const query = project('q_proj', heads);
    const key = project('k_proj', keyValueHeads);
    const value = project('v_proj', keyValueHeads);
    const mixed = attention(net, self, { query, key, value }, shape, { rotate });
    const back = { from: heads * width, to: hidden, bias: biases.output };
    const middle = net.op(at, 'Add', [x, linear(net, `${self}.o_proj`, mixed, back)]);
    const after = rmsNorm(net, `${at}.post_attention_layernorm`, middle, hidden, epsilon);
    const up = { from: hidden, to: inner, bias: biases.mlp };
    const gate = act(net, `${at}.mlp.act_fn`, linear(net, `${at}.mlp.gate_proj`, after, up));
    const gated = net.op(`${at}.mlp`, 'Mul', [gate, linear(net, `${at}.mlp.up_proj`, after, up)]);
    const down = { from: inner, to: hidden, bias: biases.mlp };
    x = net.op(at, 'Add', [middle, linear(net, `${at}.mlp.down_proj`, gated, down)]);
  }
  const end = rmsNorm(net, 'norm', x, hidden, epsilon);
  const tied = config.flag('tie_word_embeddings', false);
  if (hasLanguageHead(net, config, tied))
    languageHead(net, end, rows, { hidden, vocabulary, ...(tied && { tied: `${EMBEDDING}.weight` }) });
  hiddenOutput(net, end, rows, hidden);
}

function sizes(config: Config, { defaults }: LlamaVariant) {
  const hidden = config.count('hidden_size', 4096);
  const heads = config.count('num_attention_heads', 32);
  const keyValueHeads = config.count('num_key_value_heads', defaults.keyValueHeads ?? heads);
  const width = config.has('head_dim') ? config.count('head_dim') : headWidth(config, hidden, heads);
  if (heads % keyValueHeads !== 0 || width % 2 !== 0)
    throw new AuroraError(
      'model',
      `${config.path}: ${heads} attention heads of size ${width} do not fit ${keyValueHeads} key/value heads and rotary embeddings.`,
      'Download the config.json of this model again.',
    );
  return {
    hidden,
    heads,
    keyValueHeads,
    width,
    inner: config.count('intermediate_size', defaults.inner),
    layers: config.count('num_hidden_layers', 32),
    vocabulary: config.count('vocab_size', defaults.vocabulary),
    epsilon: config.number('rms_norm_eps', 1e-6),
  };
}
