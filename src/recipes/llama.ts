import { linear, times } from './layers';
import type { PaperModel } from './models';

const HIDDEN = 4096;
/** 8 key and value heads of 128: grouped-query attention. */
const KEY_VALUE = 1024;
const FEED_FORWARD = 14_336;
const LAYERS = 32;
const VOCABULARY = 128_256;

const modules = [
  ...times(LAYERS, (i) => {
    const at = `model.layers.${i}`;
    return [
      linear(`${at}.self_attn.q_proj`, HIDDEN, HIDDEN, false),
      linear(`${at}.self_attn.k_proj`, HIDDEN, KEY_VALUE, false),
      linear(`${at}.self_attn.v_proj`, HIDDEN, KEY_VALUE, false),
      linear(`${at}.self_attn.o_proj`, HIDDEN, HIDDEN, false),
      linear(`${at}.mlp.gate_proj`, HIDDEN, FEED_FORWARD, false),
      linear(`${at}.mlp.up_proj`, HIDDEN, FEED_FORWARD, false),
      linear(`${at}.mlp.down_proj`, FEED_FORWARD, HIDDEN, false),
    ];
  }),
  { ...linear('lm_head', HIDDEN, VOCABULARY, false), output: true },
];

/** The linear layers, which have no biases, plus the embedding, two norms per layer and one at the end. */
const parameters =
  modules.reduce((n, m) => n + m.inFeatures * m.outFeatures, 0) +
  VOCABULARY * HIDDEN +
  (2 * LAYERS + 1) * HIDDEN;

export const LLAMA3_8B: PaperModel = {
  id: 'llama3-8b',
  name: 'LLaMA3-8B',
  modules,
  parameters,
  targets: ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'],
  loraRank: 32,
  source:
    'Llama 3 8B (arXiv 2407.21783), 32 layers of width 4096, 8 key and value heads; the paper adapts q, k, v, up and down for commonsense reasoning.',
};
