import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../run.mjs';
import { writeHalves } from './random-halves.mjs';
import { SDXL_CONFIG, unetWeights } from './sdxl-unet.mjs';

const FIXTURE = join(ROOT, 'test/fixtures/diffusers/sdxl');

/**
 * Writes a pipeline with the U-Net of SDXL, of random weights in float16 (5.1 GB). Its autoencoder has the size of SDXL's
 * latents and its text encoders the widths of SDXL's, but few layers: they are not in memory during training.
 */
export function writeSdxl(folder) {
  for (const name of ['model_index.json', 'scheduler', 'tokenizer', 'tokenizer_2'])
    cpSync(join(FIXTURE, name), join(folder, name), { recursive: true });
  write(folder, 'unet', 'diffusion_pytorch_model', SDXL_CONFIG, unetWeights());
  writeEncoder(folder, 'text_encoder', 768);
  writeEncoder(folder, 'text_encoder_2', 1280);
  const vae = { ...configOf('vae'), block_out_channels: Array(4).fill(VAE_WIDTH) };
  for (const [side, type] of [
    ['down', 'DownEncoderBlock2D'],
    ['up', 'UpDecoderBlock2D'],
  ])
    vae[`${side}_block_types`] = Array(4).fill(type);
  write(folder, 'vae', 'diffusion_pytorch_model', vae, vaeWeights());
}

const configOf = (component) => JSON.parse(readFileSync(join(FIXTURE, component, 'config.json'), 'utf8'));

function write(folder, component, stem, config, weights) {
  mkdirSync(join(folder, component), { recursive: true });
  writeFileSync(join(folder, component, 'config.json'), JSON.stringify(config));
  writeHalves(join(folder, component, `${stem}.safetensors`), weights);
}

/** The fixture's, wider. */
function writeEncoder(folder, component, width) {
  const config = configOf(component);
  const sizes = { [config.hidden_size]: width, [config.intermediate_size]: 2 * width };
  const wider = { hidden_size: width, intermediate_size: 2 * width, projection_dim: width };
  const bytes = readFileSync(join(FIXTURE, component, 'model.safetensors'));
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())));
  const weights = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, { shape }]) => [name, shape.map((size) => sizes[size] ?? size)]);
  write(folder, component, 'model', { ...config, ...wider }, weights);
}

const VAE_WIDTH = 8;

/** Four levels, so that latents have an eighth of the picture's height and width. */
function vaeWeights() {
  const levels = [0, 1, 2, 3];
  return [
    ...conv('encoder.conv_in', 3, VAE_WIDTH),
    ...levels.flatMap((i) => [
      ...resnet(`encoder.down_blocks.${i}.resnets.0`),
      ...(i < 3 ? conv(`encoder.down_blocks.${i}.downsamplers.0.conv`) : []),
    ]),
    ...middle('encoder'),
    ...conv('encoder.conv_out', VAE_WIDTH, 8),
    ...conv('decoder.conv_in', 4),
    ...middle('decoder'),
    ...levels.flatMap((i) => [
      ...[0, 1].flatMap((j) => resnet(`decoder.up_blocks.${i}.resnets.${j}`)),
      ...(i < 3 ? conv(`decoder.up_blocks.${i}.upsamplers.0.conv`) : []),
    ]),
    ...conv('decoder.conv_out', VAE_WIDTH, 3),
    ...conv('quant_conv', 8, 8, 1),
    ...conv('post_quant_conv', 4, 4, 1),
  ];
}

const middle = (at) => [
  ...[0, 1].flatMap((i) => resnet(`${at}.mid_block.resnets.${i}`)),
  ...norm(`${at}.mid_block.attentions.0.group_norm`),
  ...['to_q', 'to_k', 'to_v', 'to_out.0'].flatMap((name) =>
    both(`${at}.mid_block.attentions.0.${name}`, [VAE_WIDTH, VAE_WIDTH]),
  ),
  ...norm(`${at}.conv_norm_out`),
];

const resnet = (at) => [1, 2].flatMap((i) => [...norm(`${at}.norm${i}`), ...conv(`${at}.conv${i}`)]);
const conv = (at, from = VAE_WIDTH, to = VAE_WIDTH, size = 3) => both(at, [to, from, size, size]);
const norm = (at) => both(at, [VAE_WIDTH]);
const both = (at, shape) => [
  [`${at}.weight`, shape],
  [`${at}.bias`, [shape[0]]],
];
