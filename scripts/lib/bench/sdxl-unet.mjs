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

/**
 * Name and shape of each weight of a U-Net of three levels, as diffusers names them.
 * @param config of SDXL, or with other numbers
 * @returns {[string, number[]][]}
 */
export function unetWeights(config = SDXL_CONFIG) {
  const [first, , last] = config.block_out_channels;
  const time = 4 * first;
  return [
    ...conv('conv_in', 4, first),
    ...linear('time_embedding.linear_1', first, time),
    ...linear('time_embedding.linear_2', time, time),
    ...linear('add_embedding.linear_1', config.projection_class_embeddings_input_dim, time),
    ...linear('add_embedding.linear_2', time, time),
    ...[0, 1, 2].flatMap((level) => down(config, level)),
    ...resnet(config, 'mid_block.resnets.0', last, last),
    ...transformer(config, 'mid_block.attentions.0', 2),
    ...resnet(config, 'mid_block.resnets.1', last, last),
    ...[0, 1, 2].flatMap((block) => up(config, block)),
    ...norm('conv_norm_out', first),
    ...conv('conv_out', first, 4),
  ];
}

function down(config, level) {
  const at = `down_blocks.${level}`;
  const widths = config.block_out_channels;
  const width = widths[level];
  const before = widths[Math.max(0, level - 1)];
  return [
    ...[0, 1].flatMap((i) => [
      ...resnet(config, `${at}.resnets.${i}`, i === 0 ? before : width, width),
      ...(level > 0 ? transformer(config, `${at}.attentions.${i}`, level) : []),
    ]),
    ...(level < 2 ? conv(`${at}.downsamplers.0.conv`, width, width) : []),
  ];
}

/** Each of its resnets reads what the one before gives beside an output of the way down. */
function up(config, block) {
  const level = 2 - block;
  const at = `up_blocks.${block}`;
  const widths = config.block_out_channels;
  const width = widths[level];
  const from = widths[Math.min(2, level + 1)];
  const below = widths[Math.max(0, level - 1)];
  return [
    ...[0, 1, 2].flatMap((i) => [
      ...resnet(config, `${at}.resnets.${i}`, (i === 0 ? from : width) + (i === 2 ? below : width), width),
      ...(level > 0 ? transformer(config, `${at}.attentions.${i}`, level) : []),
    ]),
    ...(block < 2 ? conv(`${at}.upsamplers.0.conv`, width, width) : []),
  ];
}

const resnet = (config, at, from, to) => [
  ...norm(`${at}.norm1`, from),
  ...conv(`${at}.conv1`, from, to),
  ...linear(`${at}.time_emb_proj`, 4 * config.block_out_channels[0], to),
  ...norm(`${at}.norm2`, to),
  ...conv(`${at}.conv2`, to, to),
  ...(from === to ? [] : conv(`${at}.conv_shortcut`, from, to, 1)),
];

function transformer(config, at, level) {
  const width = config.block_out_channels[level];
  const count = config.transformer_layers_per_block[level];
  const blocks = Array.from({ length: count }, (_, i) =>
    block(config, `${at}.transformer_blocks.${i}`, width),
  );
  return [
    ...norm(`${at}.norm`, width),
    ...linear(`${at}.proj_in`, width, width),
    ...blocks.flat(),
    ...linear(`${at}.proj_out`, width, width),
  ];
}

const block = (config, at, width) => [
  ...norm(`${at}.norm1`, width),
  ...attention(`${at}.attn1`, width, width),
  ...norm(`${at}.norm2`, width),
  ...attention(`${at}.attn2`, width, config.cross_attention_dim),
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
