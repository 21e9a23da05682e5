import type { BudgetModule } from '../adapters/budget/budget';

/** A linear layer called once per forward pass. */
const linear = (path: string, inFeatures: number, outFeatures: number, hasBias = true): BudgetModule => ({
  path,
  inFeatures,
  outFeatures,
  calls: 1,
  hasBias,
});

const times = <T>(count: number, make: (i: number) => T[]): T[] =>
  Array.from({ length: count }, (_, i) => make(i)).flat();

/** Width of the two text encoders' joint output, which cross-attention reads. */
const CONTEXT = 2048;

/** A Transformer2DModel: projections around `depth` blocks of self-attention, cross-attention and GEGLU. */
function transformer(path: string, width: number, depth: number): BudgetModule[] {
  return [
    linear(`${path}.proj_in`, width, width),
    ...times(depth, (i) => {
      const at = `${path}.transformer_blocks.${i}`;
      return [
        ...attention(`${at}.attn1`, width, width),
        ...attention(`${at}.attn2`, width, CONTEXT),
        linear(`${at}.ff.net.0.proj`, width, 8 * width),
        linear(`${at}.ff.net.2`, 4 * width, width),
      ];
    }),
    linear(`${path}.proj_out`, width, width),
  ];
}

const attention = (path: string, width: number, context: number): BudgetModule[] => [
  linear(`${path}.to_q`, width, width, false),
  linear(`${path}.to_k`, context, width, false),
  linear(`${path}.to_v`, context, width, false),
  linear(`${path}.to_out.0`, width, width),
];

const SDXL_LAYERS = [
  ...times(2, (i) => transformer(`down_blocks.1.attentions.${i}`, 640, 2)),
  ...times(2, (i) => transformer(`down_blocks.2.attentions.${i}`, 1280, 10)),
  ...transformer('mid_block.attentions.0', 1280, 10),
  ...times(3, (i) => transformer(`up_blocks.0.attentions.${i}`, 1280, 10)),
  ...times(3, (i) => transformer(`up_blocks.1.attentions.${i}`, 640, 2)),
];

/** The U-Net's transformers, where the adapters go; its convolutions and time embeddings are omitted. */
export const SDXL: PaperModel = {
  id: 'sdxl',
  name: 'SDXL (U-Net)',
  modules: SDXL_LAYERS,
  // diffusers' UNet2DConditionModel of stable-diffusion-xl-base-1.0.
  parameters: 2_567_463_684,
  targets: ['to_q', 'to_k', 'to_v', 'to_out.0'],
  targetsAssumed: true,
  loraRank: 4,
  source:
    'SDXL (arXiv 2307.01952), the transformers of its U-Net: 2 blocks deep at width 640, 10 at width 1280. The paper gives no settings for it; the targets are those that DreamBooth with LoRA usually adapts.',
};

/** Transformer encoders of one width: four attention projections of h × h and a feed-forward of 4h per layer. */
interface Encoder {
  layers: number;
  hidden: number;
}

const BASE: Encoder = { layers: 12, hidden: 768 };
const LARGE: Encoder = { layers: 24, hidden: 1024 };

function encoderModules({ layers, hidden }: Encoder, prefix: string, attention: string): BudgetModule[] {
  return times(layers, (i) => {
    const at = `${prefix}.${i}`;
    return [
      ...['query', 'key', 'value'].map((name) =>
        linear(`${at}.attention.${attention}.${name}`, hidden, hidden),
      ),
      linear(`${at}.attention.output.dense`, hidden, hidden),
      linear(`${at}.intermediate.dense`, hidden, 4 * hidden),
      linear(`${at}.output.dense`, 4 * hidden, hidden),
    ];
  });
}

/** Weights and biases of the linear layers, and two layer norms per layer. */
const encoderParameters = ({ layers, hidden: h }: Encoder): number =>
  layers * (4 * (h * h + h) + (4 * h * h + 4 * h) + (4 * h * h + h) + 2 * 2 * h);

/** 50,265 words, 514 positions and 1 segment, each of width h, and a layer norm. RobertaModel without its pooler. */
const robertaParameters = (e: Encoder): number => (50_265 + 514 + 1 + 2) * e.hidden + encoderParameters(e);

/** Patches of 16 × 16 × 3, a class token, 197 positions, the last layer norm. ViTModel without its pooler. */
const vitParameters = (e: Encoder): number =>
  (16 * 16 * 3 + 1 + 1 + 197 + 2) * e.hidden + encoderParameters(e);

const roberta = (size: 'base' | 'large', e: Encoder): PaperModel => ({
  id: `roberta-${size}`,
  name: `RoBERTa-${size === 'base' ? 'Base' : 'Large'}`,
  modules: encoderModules(e, 'roberta.encoder.layer', 'self'),
  parameters: robertaParameters(e),
  targets: ['query', 'value'],
  loraRank: 8,
  source: `RoBERTa (arXiv 1907.11692), ${e.layers} layers of width ${e.hidden}; the paper adapts query and value for GLUE.`,
});

const vit = (size: 'base' | 'large', e: Encoder): PaperModel => ({
  id: `vit-${size}`,
  name: `ViT-${size === 'base' ? 'Base' : 'Large'}`,
  modules: encoderModules(e, 'vit.encoder.layer', 'attention'),
  parameters: vitParameters(e),
  targets: ['query', 'value'],
  loraRank: 16,
  source: `ViT (arXiv 2010.11929), ${e.layers} layers of width ${e.hidden}, 224 × 224 images in patches of 16; the paper adapts query and value.`,
});

export const ROBERTA_BASE = roberta('base', BASE);
const ROBERTA_LARGE = roberta('large', LARGE);
const VIT_BASE = vit('base', BASE);
const VIT_LARGE = vit('large', LARGE);

const HIDDEN = 4096;
/** 8 key and value heads of 128: grouped-query attention. */
const KEY_VALUE = 1024;
const FEED_FORWARD = 14_336;
const LAYERS = 32;
const VOCABULARY = 128_256;

const LLAMA_LAYERS = [
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
  LLAMA_LAYERS.reduce((n, m) => n + m.inFeatures * m.outFeatures, 0) +
  VOCABULARY * HIDDEN +
  (2 * LAYERS + 1) * HIDDEN;

const LLAMA3_8B: PaperModel = {
  id: 'llama3-8b',
  name: 'LLaMA3-8B',
  modules: LLAMA_LAYERS,
  parameters,
  targets: ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'],
  loraRank: 32,
  source:
    'Llama 3 8B (arXiv 2407.21783), 32 layers of width 4096, 8 key and value heads; the paper adapts q, k, v, up and down for commonsense reasoning.',
};

/** A model that the AuroRA paper adapts (arXiv 2505.18738): the shapes of its linear layers, without weights. */
export interface PaperModel {
  id: string;
  name: string;
  /** Linear layers in execution order, under their module paths in Hugging Face's libraries. */
  modules: BudgetModule[];
  /** All parameters of the pretrained model, without a task head. */
  parameters: number;
  /** The layers that the paper adapts. */
  targets: string[];
  /** The paper does not state the adapted layers; the targets and LoRA's rank are our choice. */
  targetsAssumed?: true;
  /** Rank of the paper's LoRA baseline. */
  loraRank: number;
  /** Source of the shapes. */
  source: string;
}

export const PAPER_MODELS: readonly PaperModel[] = [
  ROBERTA_BASE,
  ROBERTA_LARGE,
  VIT_BASE,
  VIT_LARGE,
  LLAMA3_8B,
  SDXL,
];

/** The repositories of the paper's models on the Hugging Face hub, by their ids. */
const REPOS: Readonly<Record<string, string>> = {
  'roberta-base': 'FacebookAI/roberta-base',
  'roberta-large': 'FacebookAI/roberta-large',
  // The paper names no checkpoint; the examples of transformers (run_image_classification.py) start from these.
  'vit-base': 'google/vit-base-patch16-224-in21k',
  'vit-large': 'google/vit-large-patch16-224-in21k',
  'llama3-8b': 'meta-llama/Meta-Llama-3-8B',
  sdxl: 'stabilityai/stable-diffusion-xl-base-1.0',
};

/** A model of the paper on the hub. */
export interface HubModelName {
  model: PaperModel;
  repo: string;
}

/** In the paper's order. */
export const HUB_MODELS: readonly HubModelName[] = PAPER_MODELS.map((model) => ({
  model,
  repo: REPOS[model.id]!,
}));

/** The repository of a model of the paper by its short name, under which some of them were on the hub before; undefined for any other. */
export const hubModelRepo = (name: string): string | undefined =>
  HUB_MODELS.find(({ model }) => model.id === name.toLowerCase())?.repo;
