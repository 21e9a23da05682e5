import { DecoderInputs, decoderOutputs, selfAttention } from '../../blocks/decoder';
import { type ExpertSize, Routing } from '../../blocks/experts';
import { markRouted } from '../../blocks/gated-experts';
import { conv1d, linear, rmsNormOf } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeFrom, ropeOf, type Rope, rotary } from '../../blocks/rope';
import { BalanceLoss, largest } from '../../blocks/router';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, expertSize, LLAMA_SIZE, slidingWindow, windows } from '../../settings';
import { chosenBiases } from './llama';

const EMBEDDING = 'embed_tokens';

/** transformers' GptOssConfig and modeling_gpt_oss.py: attention with sinks, and experts with biases and a gate that is limited. */
export const gptOss: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

/** The scaling of a config.json without one. */
const YARN = {
  rope_type: 'yarn',
  factor: 32,
  beta_fast: 32,
  beta_slow: 1,
  truncate: false,
  original_max_position_embeddings: 4096,
};

function ropeOfGptOss(config: Config, width: number): Rope {
  const defaults = { width, positions: 131072, theta: 150000 };
  if (config.filled('rope_scaling') ?? config.filled('rope_parameters')) return ropeOf(config, defaults);
  const theta = config.number('rope_theta', defaults.theta);
  return ropeFrom(config, config.made('rope_parameters', YARN), { ...defaults, theta });
}

function build(net: Network, config: Config): void {
  const size = decoderSize(config, {
    ...LLAMA_SIZE,
    ...{ hidden: 2880, inner: 2880, layers: 36, heads: 64, keyValueHeads: 8, width: 64 },
    ...{ vocabulary: 201088, epsilon: 1e-5 },
  });
  const { hidden, inner, layers, width, epsilon } = size;
  // The library has these numbers in its code.
  config.require('hidden_act', 'silu');
  config.require('swiglu_limit', LIMIT);
  const norm = rmsNormOf(epsilon);
  const biases = chosenBiases(config, false, true);
  const experts = { hidden, inner, ...expertSize(config, 128, 4) };
  const sliding = windows(config, layers, slidingWindow(config, 128), (layer) => layer % 2 === 0);
  const inputs = new DecoderInputs(net, config);
  const balance = BalanceLoss.of(net, config, experts, inputs);
  let x = inputs.embedded(EMBEDDING, size);
  const rotate = rotary(net, inputs.places, ropeOfGptOss(config, width), width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i, sliding[i]);
    const before = norm(net, `${at}.input_layernorm`, x, hidden);
    const layer = { size, shape, biases, rotate, sinks: true };
    const middle = net.op(at, 'Add', [x, selfAttention(net, `${at}.self_attn`, before, layer)]);
    const after = norm(net, `${at}.post_attention_layernorm`, middle, hidden);
    x = net.op(at, 'Add', [middle, limitedExperts(net, `${at}.mlp`, after, experts, balance)]);
  }
  balance?.end();
  const end = norm(net, 'norm', x, hidden);
  decoderOutputs(net, config, end, inputs.rows, size, { embedding: EMBEDDING, tied: false });
}

/** The largest value of a gate, and the largest magnitude of what it is multiplied by. */
const LIMIT = 7;
const STEEPNESS = 1.702;

/**
 * Router and experts on x (tokens, hidden). The shares are a softmax of the largest logits alone. All experts' weights are in one
 * tensor, (experts, in, out), with gate and up in turn: their modules have the expert's number in their paths.
 */
function limitedExperts(
  net: Network,
  module: string,
  x: string,
  size: ExpertSize,
  balance: BalanceLoss | undefined,
): string {
  const { hidden, inner, experts } = size;
  const { g } = net;
  const from = net.graph.nodes.length;
  const logits = linear(net, `${module}.router`, x, { from: hidden, to: experts, router: true });
  const { shares: highest, experts: chosen } = largest(net, module, logits, size);
  const shares = net.op(module, 'Softmax', [highest], { axis: -1 });
  balance?.add(module, net.op(module, 'Softmax', [logits], { axis: -1 }), chosen);

  const routing = new Routing(net, module, { shares, experts: chosen }, size);
  const product = (name: string, x: string, sizes: { from: number; to: number }) =>
    routing.together(routing.parts(x), (own, e) => {
      const expert = `${module}.experts.${e}.${name}`;
      divide(net, { stacked: `${module}.experts.${name}`, expert, nth: e, experts, ...sizes });
      return conv1d(net, expert, own, sizes);
    });
  const both = product('gate_up_proj', routing.dealt(x), { from: hidden, to: 2 * inner });
  const pairs = net.op(module, 'Reshape', [both, g.ints([-1, inner, 2])]);
  const [gates, ups] = net
    .ops(module, 'Split', [pairs, g.ints([1, 1])], { axis: -1 }, 2)
    .map((half) => net.op(module, 'Squeeze', [half, g.ints([-1])]));
  const gate = net.op(module, 'Clip', [gates, '', net.float(LIMIT)]);
  const up = net.op(module, 'Clip', [ups, net.float(-LIMIT), net.float(LIMIT)]);
  const opened = net.op(module, 'Sigmoid', [net.op(module, 'Mul', [gate, net.float(STEEPNESS)])]);
  const limited = net.op(module, 'Mul', [gate, opened]);
  const wide = net.op(module, 'Mul', [net.op(module, 'Add', [up, net.float(1)]), limited]);
  const y = routing.mixed(product('down_proj', wide, { from: inner, to: hidden }));
  markRouted(net, from, size);
  return y;
}

interface StackedExpert {
  /** The names of the stored weight and of the expert's module. */
  stacked: string;
  expert: string;
  /** The number of the expert. */
  nth: number;
  experts: number;
  from: number;
  to: number;
}

/** Finds the weight and the bias of an expert in the tensors of all. */
function divide({ weights }: Network, { stacked, expert, nth, experts, from, to }: StackedExpert): void {
  const weight = { name: stacked, dims: [experts, from, to] };
  weights.divide(`${expert}.weight`, [from, to], weight, nth * from * to);
  weights.divide(`${expert}.bias`, [to], { name: `${stacked}_bias`, dims: [experts, to] }, nth * to);
}
