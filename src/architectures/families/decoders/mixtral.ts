import { activationOf } from '../../blocks/activation';
import { gatedExperts } from '../../blocks/gated-experts';
import { BalanceLoss } from '../../blocks/router';
import { expertSize, LLAMA_SIZE, sameWindows, slidingWindow } from '../../settings';
import { llamaLike } from './llama';

/**
 * transformers' MixtralConfig and modeling_mixtral.py: Mistral with experts. Modules are those of the published folders, where the
 * linear layers of an expert are w1 (gate), w3 (up) and w2 (down).
 */
export const mixtral = llamaLike({
  defaults: { ...LLAMA_SIZE, inner: 14336, keyValueHeads: 8, epsilon: 1e-5 },
  rope: { positions: 4096 * 32, theta: 1e6 },
  biases: () => ({ qkv: false, output: false, mlp: false }),
  windows: (config, layers) => sameWindows(config, layers, slidingWindow(config)),
  feed(net, config, { hidden, inner }, inputs) {
    config.require('router_jitter_noise', 0);
    const size = { hidden, inner, ...expertSize(config, 8, 2) };
    const act = activationOf(config, 'hidden_act', 'silu');
    const names = { module: 'block_sparse_moe', gate: 'w1', up: 'w3', down: 'w2' };
    const balance = BalanceLoss.of(net, config, size, inputs);
    return {
      of: (at, _, x) => gatedExperts(net, at, x, { size, names, act, normalized: true, balance }),
      end: () => balance?.end(),
    };
  },
});
