import { activationOf } from '../../blocks/activation';
import { gated } from '../../blocks/decoder';
import { gatedExperts } from '../../blocks/gated-experts';
import { BalanceLoss } from '../../blocks/router';
import { expertSize, LLAMA_SIZE, sameWindows, slidingWindow } from '../../settings';
import { chosenBiases, llamaLike } from './llama';

/**
 * transformers' Qwen3MoeConfig and modeling_qwen3_moe.py: Qwen3 with experts, in all layers but those that mlp_only_layers and
 * decoder_sparse_step leave out.
 */
export const qwen3Moe = llamaLike({
  defaults: {
    ...LLAMA_SIZE,
    hidden: 2048,
    inner: 6144,
    layers: 24,
    keyValueHeads: 4,
    vocabulary: 151936,
  },
  rope: { positions: 32768 },
  biases: (config) => chosenBiases(config),
  windows(config, layers) {
    const window = config.flag('use_sliding_window', false) ? slidingWindow(config, 4096) : undefined;
    return sameWindows(config, layers, window);
  },
  norms: 'head',
  feed(net, config, { hidden, inner }, inputs) {
    const chosen = expertSize(config, 128, 8);
    const size = { hidden, inner: config.count('moe_intermediate_size', 768), ...chosen };
    const act = activationOf(config, 'hidden_act', 'silu');
    const names = { module: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };
    const normalized = config.flag('norm_topk_prob', false);
    const balance = BalanceLoss.of(net, config, size, inputs);
    const dense = new Set(config.indices('mlp_only_layers'));
    const every = config.count('decoder_sparse_step', 1);
    return {
      of: (at, layer, x) =>
        dense.has(layer) || (layer + 1) % every !== 0
          ? gated(net, `${at}.mlp`, x, { hidden, inner }, act)
          : gatedExperts(net, at, x, { size, names, act, normalized, balance }),
      end: () => balance?.end(),
    };
  },
});
