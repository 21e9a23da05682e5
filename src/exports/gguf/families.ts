import type { DecoderFacts } from '../../architectures/blocks/decoder';
import { own } from '../../base/names';
import type { Layout } from './layout';

/** The module that holds the embeddings of tokens, the final norm, or the head, by its path in PyTorch's base model. */
type Names = Readonly<Record<string, string>>;

/** A family of models in llama.cpp, which has its own names for their weights and states their graph in its code. */
export interface GgufFamily {
  /** general.architecture. */
  architecture: string;
  /** Names of modules outside of the layers, and of those in a layer, by their paths in PyTorch. */
  outside: Names;
  inLayer: Names;
  /** The path of the list of layers. */
  layers: string;
  /** The file's order of a weight, or of a bias, of a module. */
  layout?(module: string, part: string, facts: DecoderFacts): Layout;
  /** The modules that may have a bias. */
  biased?: RegExp;
  /** The reason why llama.cpp would compute something else; undefined if there is none. */
  problem(facts: DecoderFacts): string | undefined;
  /** Scalings of rotary embeddings that llama.cpp has for it. */
  ropes: readonly string[];
  /** True if llama.cpp keeps windows; where it does not, texts are as long as they may be without them. */
  keepsWindows?: true;
}

const SAME: Layout = { kind: 'same' };

/** Names of gguf-py's tensor_mapping.py. */
const OUTSIDE: Names = { embed_tokens: 'token_embd', norm: 'output_norm', lm_head: 'output' };

const ATTENTION: Names = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
};

const GATED: Names = { 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down' };

const HEAD_NORMS: Names = { 'self_attn.q_norm': 'attn_q_norm', 'self_attn.k_norm': 'attn_k_norm' };

const LLAMA = { outside: OUTSIDE, layers: 'layers' };

/** The activation that llama.cpp has for a family. */
const activation = ({ config }: DecoderFacts, key: string, ...names: string[]): string | undefined => {
  const name = config.text(key, names[0]);
  return names.includes(name) ? undefined : `its activation is ${name} (${key}), not ${names[0]}`;
};

const silu = (facts: DecoderFacts) => activation(facts, 'hidden_act', 'silu', 'swish');
const TANH_GELU = ['gelu_pytorch_tanh', 'gelu_new', 'gelu_fast', 'gelu_accurate', 'gelu_python_tanh'];

/** Llama and Mistral: rotary embeddings turn neighbors, so that the rows of queries and keys are in another order. */
const llama: GgufFamily = {
  ...LLAMA,
  architecture: 'llama',
  inLayer: { ...ATTENTION, post_attention_layernorm: 'ffn_norm', ...GATED },
  layout(module, _, { heads, keyValueHeads }) {
    if (module === 'self_attn.q_proj') return { kind: 'permuted', heads };
    return module === 'self_attn.k_proj' ? { kind: 'permuted', heads: keyValueHeads } : SAME;
  },
  biased: /./,
  problem: silu,
  ropes: ['default', 'linear', 'yarn', 'llama3'],
};

const qwen2: GgufFamily = {
  ...LLAMA,
  architecture: 'qwen2',
  inLayer: llama.inLayer,
  biased: /\.[qkv]_proj$/,
  problem: silu,
  ropes: ['default', 'linear', 'yarn'],
};

const qwen3: GgufFamily = {
  ...qwen2,
  architecture: 'qwen3',
  inLayer: { ...llama.inLayer, ...HEAD_NORMS },
  biased: undefined,
};

/** Scores are divided by the root of a head's size, and in the model of 27B by that of hidden size / heads. */
function scaleProblem({ config, hidden, heads, width, layers }: DecoderFacts, layersOf27B: number) {
  const key = 'query_pre_attn_scalar';
  const wanted = layers === layersOf27B ? hidden / heads : width;
  const own = config.number(key, 256);
  return own === wanted ? undefined : `its ${key} is ${own}, not ${wanted}`;
}

/** @param slides the layers with a window in llama.cpp's code */
const patternProblem = ({ windows }: DecoderFacts, slides: (layer: number) => boolean) =>
  windows.every((window, i) => (window !== undefined) === slides(i))
    ? undefined
    : 'the layers with a sliding window are others than those in llama.cpp';

/** Gemma's norms have 1 + weight. */
const gemmaLayout = (module: string): Layout => (/norm$/.test(module) ? { kind: 'plus-one' } : SAME);

const gemma2: GgufFamily = {
  ...LLAMA,
  architecture: 'gemma2',
  inLayer: {
    ...ATTENTION,
    post_attention_layernorm: 'post_attention_norm',
    pre_feedforward_layernorm: 'ffn_norm',
    ...GATED,
    post_feedforward_layernorm: 'post_ffw_norm',
  },
  layout: gemmaLayout,
  problem(facts) {
    const uncapped = ['attn_logit_softcapping', 'final_logit_softcapping'].find((key) =>
      facts.config.isNull(key),
    );
    return (
      activation(facts, 'hidden_activation', ...TANH_GELU) ??
      scaleProblem(facts, 46) ??
      patternProblem(facts, (layer) => layer % 2 === 0) ??
      (uncapped && `its ${uncapped} is null`)
    );
  },
  ropes: ['default', 'linear'],
  keepsWindows: true,
};

const gemma3: GgufFamily = {
  ...gemma2,
  architecture: 'gemma3',
  inLayer: { ...gemma2.inLayer, ...HEAD_NORMS },
  problem(facts) {
    const { config, slidingRope } = facts;
    return (
      activation(facts, 'hidden_activation', ...TANH_GELU) ??
      scaleProblem(facts, 62) ??
      patternProblem(facts, (layer) => layer % 6 < 5) ??
      (config.has('final_logit_softcapping') ? 'it has a final_logit_softcapping' : undefined) ??
      (slidingRope!.base === 10000 && slidingRope!.type === 'default'
        ? undefined
        : 'the rotary embeddings of its layers with a window have another base than 10000, or a scaling')
    );
  },
};

const phi3: GgufFamily = {
  ...LLAMA,
  architecture: 'phi3',
  inLayer: {
    input_layernorm: 'attn_norm',
    'self_attn.qkv_proj': 'attn_qkv',
    'self_attn.o_proj': 'attn_output',
    post_attention_layernorm: 'ffn_norm',
    'mlp.gate_up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
  },
  problem: (facts) =>
    silu(facts) ??
    (facts.heads * facts.width === facts.hidden
      ? undefined
      : `its ${facts.heads} heads of ${facts.width} features are not its hidden size of ${facts.hidden}`),
  ropes: ['default', 'longrope'],
};

const gpt2: GgufFamily = {
  architecture: 'gpt2',
  outside: { wte: 'token_embd', wpe: 'position_embd', ln_f: 'output_norm', lm_head: 'output' },
  inLayer: {
    ln_1: 'attn_norm',
    'attn.c_attn': 'attn_qkv',
    'attn.c_proj': 'attn_output',
    ln_2: 'ffn_norm',
    'mlp.c_fc': 'ffn_up',
    'mlp.c_proj': 'ffn_down',
  },
  layers: 'h',
  layout: (module, part) => (/\.c_\w+$/.test(module) && part === 'weight' ? { kind: 'transposed' } : SAME),
  biased: /./,
  problem(facts) {
    const { config } = facts;
    const scaled = config.flag('scale_attn_weights', true);
    const byLayer = config.flag('scale_attn_by_inverse_layer_idx', false);
    return (
      activation(facts, 'activation_function', 'gelu_new', ...TANH_GELU) ??
      (scaled ? undefined : 'its attention scores are not scaled (scale_attn_weights)') ??
      (byLayer ? 'its attention scores are scaled by layer (scale_attn_by_inverse_layer_idx)' : undefined)
    );
  },
  ropes: [],
};

/** Families by `model_type` in config.json. */
export const GGUF_FAMILIES: ReadonlyMap<string, GgufFamily> = new Map([
  ['llama', llama],
  ['mistral', llama],
  ['qwen2', qwen2],
  ['qwen3', qwen3],
  ['gemma2', gemma2],
  ['gemma3_text', gemma3],
  ['gemma3', gemma3],
  ['phi3', phi3],
  ['gpt2', gpt2],
]);

/** A weight's place in a GGUF file. */
export interface Place {
  name: string;
  layout: Layout;
}

/**
 * The place of a weight, by its name in the base model: `layers.0.self_attn.q_proj.weight` is `blk.0.attn_q.weight`;
 * undefined if the family has no such weight in llama.cpp.
 */
export function placeOf(family: GgufFamily, facts: DecoderFacts, name: string): Place | undefined {
  const [, path, part] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (path === undefined) return undefined;
  const inside = path.startsWith(`${family.layers}.`)
    ? /^(\d+)\.(.+)$/.exec(path.slice(family.layers.length + 1))
    : null;
  const [, layer, module] = inside ?? ['', undefined, path];
  const known = own(layer === undefined ? family.outside : family.inLayer, module);
  if (known === undefined || (part === 'bias' && family.biased?.test(module) !== true)) return undefined;
  return {
    name: `${layer === undefined ? '' : `blk.${layer}.`}${known}.${part}`,
    layout: family.layout?.(module, part, facts) ?? SAME,
  };
}
