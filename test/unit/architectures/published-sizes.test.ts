import { describe, expect, it } from 'vitest';
import { bloom } from '../../../src/architectures/families/decoders/bloom';
import { falcon } from '../../../src/architectures/families/decoders/falcon';
import { gptNeo } from '../../../src/architectures/families/decoders/gpt-neo';
import { gptOss } from '../../../src/architectures/families/decoders/gpt-oss';
import { gptJ } from '../../../src/architectures/families/decoders/gptj';
import { mixtral } from '../../../src/architectures/families/decoders/mixtral';
import { mpt } from '../../../src/architectures/families/decoders/mpt';
import { opt } from '../../../src/architectures/families/decoders/opt';
import { persimmon } from '../../../src/architectures/families/decoders/persimmon';
import { qwen3Moe } from '../../../src/architectures/families/decoders/qwen3-moe';
import { autoencoder } from '../../../src/architectures/families/diffusion/autoencoder';
import { unet } from '../../../src/architectures/families/diffusion/unet';
import { bart, mbart } from '../../../src/architectures/families/encoders/bart';
import { deberta } from '../../../src/architectures/families/encoders/deberta';
import { ernie } from '../../../src/architectures/families/encoders/ernie';
import { eurobert } from '../../../src/architectures/families/encoders/eurobert';
import { megatronBert, xlmRobertaXl } from '../../../src/architectures/families/encoders/megatron-bert';
import { mobilebert } from '../../../src/architectures/families/encoders/mobilebert';
import { nomicBert } from '../../../src/architectures/families/encoders/nomic-bert';
import { rembert } from '../../../src/architectures/families/encoders/rembert';
import { roformer } from '../../../src/architectures/families/encoders/roformer';
import { FAMILIES } from '../../../src/architectures/families/family-registry';
import { pipelineText } from '../../../src/architectures/families/images/clip';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { written } from './written';

const LEVELS = { block_out_channels: [320, 640, 1280, 1280], layers_per_block: 2 };
const SD1 = { ...LEVELS, attention_head_dim: 8, cross_attention_dim: 768 };
const SD2 = {
  ...LEVELS,
  attention_head_dim: [5, 10, 20, 20],
  cross_attention_dim: 1024,
  use_linear_projection: true,
};
const XL = {
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 256,
  attention_head_dim: [5, 10, 20],
  block_out_channels: [320, 640, 1280],
  cross_attention_dim: 2048,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  projection_class_embeddings_input_dim: 2816,
  transformer_layers_per_block: [1, 2, 10],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  use_linear_projection: true,
};
const VAE = {
  block_out_channels: [128, 256, 512, 512],
  down_block_types: new Array<string>(4).fill('DownEncoderBlock2D'),
  up_block_types: new Array<string>(4).fill('UpDecoderBlock2D'),
  layers_per_block: 2,
};
const CLIP_L = { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, num_hidden_layers: 12 };
const BIG_G = {
  architectures: ['CLIPTextModelWithProjection'],
  hidden_size: 1280,
  intermediate_size: 5120,
  num_attention_heads: 20,
  num_hidden_layers: 32,
  projection_dim: 1280,
};

const size = (hidden: number, inner: number, layers: number, heads: number, keyValueHeads = heads) => ({
  hidden_size: hidden,
  intermediate_size: inner,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: keyValueHeads,
});
const WHOLE = { sliding_window: null, layer_types: new Array<string>(30).fill('full_attention') };

const UNTIED = { architectures: ['ForCausalLM'], tie_word_embeddings: false };
const FALCON = { alibi: false, bias: false, multi_query: true, parallel_attn: true };
const FALCON_40B = {
  ...FALCON,
  hidden_size: 8192,
  num_hidden_layers: 60,
  num_attention_heads: 128,
  num_kv_heads: 8,
  new_decoder_architecture: true,
};
const FALCON2 = {
  ...{ ...FALCON_40B, ...UNTIED },
  hidden_size: 4096,
  num_attention_heads: 32,
  ffn_hidden_size: 16384,
  num_ln_in_parallel_attn: 1,
};
const FALCON_RW = {
  vocab_size: 50304,
  hidden_size: 2048,
  num_hidden_layers: 24,
  num_attention_heads: 32,
  alibi: true,
  bias: true,
  multi_query: false,
  parallel_attn: false,
};
const BLOOM_560M = { n_embed: 1024, n_layer: 24, num_attention_heads: 16 };
const BLOOM = { n_embed: 14336, n_layer: 70, num_attention_heads: 112 };
const MPT_7B = { vocab_size: 50432, d_model: 4096, n_layers: 32, n_heads: 32 };
const GPT_NEO = {
  hidden_size: 768,
  num_layers: 12,
  num_heads: 12,
  attention_types: [[['global', 'local'], 6]],
};
const OPT_350M = {
  hidden_size: 1024,
  num_hidden_layers: 24,
  ffn_dim: 4096,
  num_attention_heads: 16,
  word_embed_proj_dim: 512,
  do_layer_norm_before: false,
};

const LANGUAGE = ['MixtralForCausalLM'];
const MIXTRAL = {
  architectures: LANGUAGE,
  hidden_size: 4096,
  intermediate_size: 14336,
  num_hidden_layers: 32,
};
const QWEN3_30B = {
  architectures: LANGUAGE,
  hidden_size: 2048,
  moe_intermediate_size: 768,
  num_hidden_layers: 48,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  head_dim: 128,
  num_experts: 128,
};
const GPT_OSS_20B = { architectures: LANGUAGE, num_hidden_layers: 24, num_local_experts: 32 };

const DEBERTA_BASE = { relative_attention: true, pos_att_type: 'c2p|p2c', position_biased_input: false };
/** With the names of its remote code, and the words before they are rounded up. */
const NOMIC = {
  activation_function: 'swiglu',
  mlp_fc1_bias: false,
  mlp_fc2_bias: false,
  n_embd: 768,
  n_inner: 3072,
  pad_vocab_size_multiple: 64,
  qkv_proj_bias: false,
  rotary_emb_fraction: 1,
  vocab_size: 30_522,
};
const ERNIE_3 = {
  max_position_embeddings: 2048,
  type_vocab_size: 4,
  use_task_id: true,
  vocab_size: 40_000,
};
const BART_BASE = {
  d_model: 768,
  encoder_attention_heads: 12,
  encoder_ffn_dim: 3072,
  encoder_layers: 6,
};

/** As their repositories say, as the sizes of their float32 files do, or as transformers counts them. */
describe('published models have as many parameters as they are known to have', () => {
  it.each([
    ['the U-Net of Stable Diffusion 1.5', unet, SD1, 859_520_964],
    ['the U-Net of Stable Diffusion 2.1', unet, SD2, 865_910_724],
    ['the U-Net of SDXL', unet, XL, 2_567_463_684],
    ['the autoencoder', autoencoder, VAE, 83_653_863],
    ['the text encoder of Stable Diffusion 1.5', pipelineText, CLIP_L, 123_060_480],
    ['the second text encoder of SDXL', pipelineText, BIG_G, 694_659_840],
    ['Falcon-7B', falcon, FALCON, 6_921_720_704],
    ['Falcon-40B', falcon, FALCON_40B, 41_303_293_952],
    ['Falcon2-11B', falcon, FALCON2, 11_102_822_400],
    ['Falcon-RW-1B', falcon, FALCON_RW, 1_311_625_216],
    ['BLOOM-560M', bloom, BLOOM_560M, 559_214_592],
    ['BLOOM', bloom, BLOOM, 176_247_271_424],
    ['MPT-7B', mpt, MPT_7B, 6_649_286_656],
    // These two have all settings of their Config class.
    ['Persimmon-8B', persimmon, UNTIED, 9_397_175_296],
    ['GPT-J-6B', gptJ, UNTIED, 6_050_882_784],
    ['GPT-Neo-125M', gptNeo, GPT_NEO, 125_198_592],
    ['GPT-Neo-1.3B', gptNeo, {}, 1_315_575_808],
    ['OPT-125M', opt, {}, 125_239_296],
    ['OPT-350M', opt, OPT_350M, 331_196_416],
    ['Mixtral 8x7B', mixtral, MIXTRAL, 46_702_792_704],
    ['Qwen3-30B-A3B', qwen3Moe, QWEN3_30B, 30_532_122_624],
    ['gpt-oss-20b', gptOss, GPT_OSS_20B, 20_914_757_184],
    ['DeBERTa-Base', deberta, DEBERTA_BASE, 138_601_728],
    ['nomic-embed-text-v1.5', nomicBert, NOMIC, 136_731_648],
    ['EuroBERT-210m', eurobert, {}, 211_766_016],
    ['RoFormer-Base', roformer, {}, 123_555_840],
    ['ERNIE 3.0 Base, without its pooler', ernie, ERNIE_3, 117_354_240],
    ['RemBERT, without its pooler', rembert, {}, 574_592_128],
    ['Megatron-BERT 345M, without its pooler', megatronBert, {}, 332_591_104],
    ['MobileBERT, without its pooler', mobilebert, {}, 24_581_888],
    ['XLM-RoBERTa-XL, without its pooler', xlmRobertaXl, {}, 3_475_929_600],
    ['the encoder of BART-Base', bart, BART_BASE, 81_920_256],
    ['the encoder of BART-Large', bart, {}, 203_678_720],
    ['the encoder of mBART-Large-cc25', mbart, { vocab_size: 250_027 }, 408_237_056],
  ])('%s', (_, family, settings, count) => {
    expect(written(family, settings).parameters).toBe(count);
  });

  it.each<[name: string, type: string, settings: Record<string, unknown>, count: number]>([
    ['Phi-1.5', 'phi', {}, 1_418_270_720],
    ['Phi-2', 'phi', { ...size(2560, 10240, 32, 32), partial_rotary_factor: 0.4 }, 2_779_683_840],
    ['StableLM 3B', 'stablelm', {}, 2_795_443_200],
    [
      'StableLM 2 1.6B',
      'stablelm',
      { ...size(2048, 5632, 24, 32), vocab_size: 100352, use_qkv_bias: true },
      1_644_515_328,
    ],
    [
      'StableLM 2 12B',
      'stablelm',
      {
        ...size(5120, 13824, 40, 32, 8),
        vocab_size: 100352,
        qk_layernorm: true,
        use_parallel_residual: true,
      },
      12_143_185_920,
    ],
    ['OLMo 1B', 'olmo', { ...size(2048, 8192, 16, 16), tie_word_embeddings: true }, 1_176_764_416],
    ['OLMo 7B', 'olmo', {}, 6_888_095_744],
    ['OLMo 3 7B', 'olmo3', { vocab_size: 100278 }, 7_298_011_136],
    ['Command R', 'cohere', {}, 34_980_831_232],
    ['Command R+', 'cohere', { ...size(12288, 33792, 64, 96, 8), use_qk_norm: true }, 103_810_674_688],
    ['Command R7B', 'cohere2', size(4096, 14336, 32, 32, 8), 8_028_033_024],
    ['Minitron 4B', 'nemotron', { ...size(3072, 9216, 32, 24, 8), head_dim: 128 }, 4_190_509_056],
    ['Helium 1 Preview', 'helium', {}, 2_172_643_840],
    ['GLM-4-9B', 'glm', {}, 9_399_951_360],
    ['GLM-4-9B-0414', 'glm4', {}, 9_400_279_040],
    [
      'EXAONE 4.0 1.2B',
      'exaone4',
      { ...size(2048, 4096, 30, 32, 8), ...WHOLE, head_dim: 64, tie_word_embeddings: true },
      1_279_391_488,
    ],
    ['EXAONE 4.0 32B', 'exaone4', { ...size(5120, 27392, 64, 40, 8), head_dim: 128 }, 32_003_216_384],
  ])('%s', (_, type, settings, count) => {
    const whole = { ...settings, architectures: ['ModelForCausalLM'] };
    expect(written(FAMILIES.get(type)!, whole).parameters).toBe(count);
  });

  it('SDXL has 560 projections in its attentions', () => {
    const layers = findLinearLayers(written(unet, XL).graph);
    const ends = /\.attn[12]\.to_(?:[qkv]|out\.0)$/;
    expect(layers.filter((l) => ends.test(l.path))).toHaveLength(560);
    expect(
      layers.some((l) => l.path === 'up_blocks.0.attentions.2.transformer_blocks.9.attn2.to_out.0'),
    ).toBe(true);
  });
});
