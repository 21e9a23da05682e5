import { describe, expect, it } from 'vitest';
import { Network } from '../../../src/architectures/blocks/network';
import { bloom } from '../../../src/architectures/families/decoders/bloom';
import { falcon } from '../../../src/architectures/families/decoders/falcon';
import { gptNeo } from '../../../src/architectures/families/decoders/gpt-neo';
import { gptJ } from '../../../src/architectures/families/decoders/gptj';
import { mpt } from '../../../src/architectures/families/decoders/mpt';
import { opt } from '../../../src/architectures/families/decoders/opt';
import { persimmon } from '../../../src/architectures/families/decoders/persimmon';
import { autoencoder } from '../../../src/architectures/families/diffusion/autoencoder';
import { unet } from '../../../src/architectures/families/diffusion/unet';
import { pipelineText } from '../../../src/architectures/families/images/clip';
import type { Family } from '../../../src/architectures/family';
import { Config } from '../../../src/architectures/folder/config';
import type { Weights } from '../../../src/architectures/folder/weights';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { elementCount } from '../../../src/graph/model';

/** The graph that a family writes for these settings, if every weight exists in the shape that it asks for. */
function written({ build }: Family, settings: Record<string, unknown>) {
  const sizes = new Map<string, number>();
  const weights = {
    has: (name: string) => name === 'text_projection.weight',
    dims: () => undefined,
    isOther: () => false,
    get(name: string, dims: number[]) {
      sizes.set(name, elementCount(dims));
      return { name, dtype: DType.float, dims, data: { path: '', offset: 0, length: 0 } };
    },
  } as unknown as Weights;
  const net = new Network(weights);
  build(net, new Config(settings, 'config.json'));
  const parameters = [...sizes.values()].reduce((a, b) => a + b, 0);
  return { parameters, names: [...sizes.keys()], graph: net.graph };
}

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
  ])('%s', (_, family, settings, count) => {
    expect(written(family, settings).parameters).toBe(count);
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
