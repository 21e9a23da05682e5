/** config.json of the U-Net of stable-diffusion-xl-base-1.0. */
export const SDXL_CONFIG = {
  _class_name: 'UNet2DConditionModel',
  act_fn: 'silu',
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 256,
  attention_head_dim: [5, 10, 20],
  block_out_channels: [320, 640, 1280],
  center_input_sample: false,
  cross_attention_dim: 2048,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 4,
  layers_per_block: 2,
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  out_channels: 4,
  projection_class_embeddings_input_dim: 2816,
  sample_size: 128,
  transformer_layers_per_block: [1, 2, 10],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  use_linear_projection: true,
};

const WIDTHS = SDXL_CONFIG.block_out_channels;
const DEPTHS = SDXL_CONFIG.transformer_layers_per_block;
const TIME = 4 * WIDTHS[0];

/**
 * Name and shape of each of its weights, as diffusers names them.
 * @returns {[string, number[]][]}
 */
export function sdxlWeights() {
  const [first] = WIDTHS;
  return [
    ...conv('conv_in', 4, first),
    ...linear('time_embedding.linear_1', first, TIME),
    ...linear('time_embedding.linear_2', TIME, TIME),
    ...linear('add_embedding.linear_1', 2816, TIME),
    ...linear('add_embedding.linear_2', TIME, TIME),
    ...WIDTHS.flatMap(down),
    ...resnet('mid_block.resnets.0', WIDTHS[2], WIDTHS[2]),
    ...transformer('mid_block.attentions.0', 2),
    ...resnet('mid_block.resnets.1', WIDTHS[2], WIDTHS[2]),
    ...WIDTHS.flatMap((_, i) => up(i)),
    ...norm('conv_norm_out', first),
    ...conv('conv_out', first, 4),
  ];
}

function down(width, level) {
  const at = `down_blocks.${level}`;
  const before = WIDTHS[Math.max(0, level - 1)];
  return [
    ...[0, 1].flatMap((i) => [
      ...resnet(`${at}.resnets.${i}`, i === 0 ? before : width, width),
      ...(level > 0 ? transformer(`${at}.attentions.${i}`, level) : []),
    ]),
    ...(level < 2 ? conv(`${at}.downsamplers.0.conv`, width, width) : []),
  ];
}

/** Each of its resnets reads what the one before gives beside an output of the way down. */
function up(block) {
  const level = 2 - block;
  const at = `up_blocks.${block}`;
  const width = WIDTHS[level];
  const from = WIDTHS[Math.min(2, level + 1)];
  const below = WIDTHS[Math.max(0, level - 1)];
  return [
    ...[0, 1, 2].flatMap((i) => [
      ...resnet(`${at}.resnets.${i}`, (i === 0 ? from : width) + (i === 2 ? below : width), width),
      ...(level > 0 ? transformer(`${at}.attentions.${i}`, level) : []),
    ]),
    ...(block < 2 ? conv(`${at}.upsamplers.0.conv`, width, width) : []),
  ];
}

const resnet = (at, from, to) => [
  ...norm(`${at}.norm1`, from),
  ...conv(`${at}.conv1`, from, to),
  ...linear(`${at}.time_emb_proj`, TIME, to),
  ...norm(`${at}.norm2`, to),
  ...conv(`${at}.conv2`, to, to),
  ...(from === to ? [] : conv(`${at}.conv_shortcut`, from, to, 1)),
];

function transformer(at, level) {
  const width = WIDTHS[level];
  return [
    ...norm(`${at}.norm`, width),
    ...linear(`${at}.proj_in`, width, width),
    ...Array.from({ length: DEPTHS[level] }, (_, i) => block(`${at}.transformer_blocks.${i}`, width)).flat(),
    ...linear(`${at}.proj_out`, width, width),
  ];
}

const block = (at, width) => [
  ...norm(`${at}.norm1`, width),
  ...attention(`${at}.attn1`, width, width),
  ...norm(`${at}.norm2`, width),
  ...attention(`${at}.attn2`, width, SDXL_CONFIG.cross_attention_dim),
  ...norm(`${at}.norm3`, width),
  ...linear(`${at}.ff.net.0.proj`, width, 8 * width),
  ...linear(`${at}.ff.net.2`, 4 * width, width),
];

const attention = (at, width, context) => [
  [`${at}.to_q.weight`, [width, width]],
  [`${at}.to_k.weight`, [width, context]],
  [`${at}.to_v.weight`, [width, context]],
  ...linear(`${at}.to_out.0`, width, width),
];

const linear = (at, from, to) => [
  [`${at}.weight`, [to, from]],
  [`${at}.bias`, [to]],
];

const norm = (at, width) => [
  [`${at}.weight`, [width]],
  [`${at}.bias`, [width]],
];

const conv = (at, from, to, size = 3) => [
  [`${at}.weight`, [to, from, size, size]],
  [`${at}.bias`, [to]],
];
