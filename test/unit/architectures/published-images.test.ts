import { expect, it } from 'vitest';
import { beit, data2vecVision } from '../../../src/architectures/families/images/beit';
import { convnext, convnextV2, dinov3Convnext } from '../../../src/architectures/families/images/convnext';
import { dinov3 } from '../../../src/architectures/families/images/dinov3';
import { siglipVision } from '../../../src/architectures/families/images/siglip';
import { siglip2Vision } from '../../../src/architectures/families/images/siglip2';
import { vitMae } from '../../../src/architectures/families/images/vit';
import { written } from './written';

const sized = (hidden: number, inner: number, layers: number, heads: number) => ({
  hidden_size: hidden,
  intermediate_size: inner,
  num_hidden_layers: layers,
  num_attention_heads: heads,
});
const SO400M = { ...sized(1152, 4304, 27, 16), image_size: 384, patch_size: 14 };
const GATED = { num_register_tokens: 4, use_gated_mlp: true, hidden_act: 'silu' };
const NO_BIASES = { query_bias: false, key_bias: false, value_bias: false };
const OWN = { use_relative_position_bias: true };
const SHARED = { use_shared_relative_position_bias: true, use_mask_token: true };
const XLARGE = { hidden_sizes: [256, 512, 1024, 2048], depths: [3, 3, 27, 3] };
const LARGE = { hidden_sizes: [192, 384, 768, 1536], depths: [3, 3, 27, 3] };

/** The counts of transformers' own classes, without poolers and tokens for masks. */
it.each([
  ['SigLIP-Base, 224', siglipVision, {}, 85_797_120],
  ['SigLIP-SO400M, 384', siglipVision, SO400M, 412_987_248],
  ['SigLIP 2-Base, NaFlex', siglip2Vision, {}, 85_843_200],
  ['DINOv3 ViT-S/16', dinov3, { num_register_tokens: 4 }, 21_596_160],
  ['DINOv3 ViT-B/16', dinov3, { ...sized(768, 3072, 12, 12), num_register_tokens: 4 }, 85_659_648],
  ['DINOv3 ViT-H+/16', dinov3, { ...sized(1280, 5120, 32, 20), ...GATED }, 840_591_360],
  ['DINOv3 ViT-7B/16', dinov3, { ...sized(4096, 8192, 40, 32), ...GATED, ...NO_BIASES }, 6_716_030_976],
  ['BEiT-Base, 224', beit, OWN, 85_760_448],
  ['BEiT-Base before fine-tuning', beit, SHARED, 85_663_824],
  ['BEiT-Large, 512', beit, { ...sized(1024, 4096, 24, 16), ...OWN, image_size: 512 }, 304_647_680],
  ['Data2Vec-Base for images', data2vecVision, SHARED, 85_663_824],
  // The last norm is the pooler's.
  ['ConvNeXT-T', convnext, {}, 27_820_128 - 2 * 768],
  ['ConvNeXT-XL', convnext, XLARGE, 348_147_968 - 2 * 2048],
  ['ConvNeXT V2-T', convnextV2, {}, 27_866_496 - 2 * 768],
  ['DINOv3 ConvNeXT-T', dinov3Convnext, {}, 27_820_128],
  ['DINOv3 ConvNeXT-L', dinov3Convnext, LARGE, 196_230_336],
  ['ViTMAE-Base', vitMae, {}, 85_798_656],
  ['ViTMAE-Huge', vitMae, { ...sized(1280, 5120, 32, 16), patch_size: 14 }, 630_764_800],
])('%s has as many parameters as it is known to have', (_, family, settings, count) => {
  expect(written(family, settings).parameters).toBe(count);
});
