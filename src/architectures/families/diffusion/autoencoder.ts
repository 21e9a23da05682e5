import { DType } from '../../../graph/dtype';
import { activationOf, SILU } from '../../blocks/activation';
import { conv2d, doubled, groupNorm, type Groups } from '../../blocks/images';
import type { Network } from '../../blocks/network';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { imageAttention } from './attention';
import { downsampled, resnet, type ResnetKind } from './resnet';
import { groupsOf } from './unet-blocks';

/** The epsilon of all its norms, whatever config.json states. */
const EPSILON = 1e-6;

const family = (build: Family['build']): Family => ({
  prefixes: [''],
  marker: 'decoder.conv_in.weight',
  build,
});

/** AutoencoderKL's encoder: pictures to mean and log-variance of their latents, beside each other. */
export const vaeEncoder: Family = family((net, config) => {
  const vae = new Autoencoder(net, config);
  const sample = net.g.addInput('sample', DType.float, ['batch', vae.pictures, 'height', 'width']);
  const latents = ['batch', 2 * vae.latents, 'latent_height', 'latent_width'];
  net.output('latent_parameters', vae.encode(sample), latents);
});

/** AutoencoderKL's decoder: latents to pictures. */
export const vaeDecoder: Family = family((net, config) => {
  const vae = new Autoencoder(net, config);
  const latents = net.g.addInput('latent_sample', DType.float, ['batch', vae.latents, 'height', 'width']);
  net.output('sample', vae.decode(latents), ['batch', vae.channelsOut, 'picture_height', 'picture_width']);
});

/**
 * Encoder and decoder: pictures to their reconstruction from the mean of their latents, as AutoencoderKL.forward gives
 * it.
 */
export const autoencoder: Family = family((net, config) => {
  const vae = new Autoencoder(net, config);
  const sample = net.g.addInput('sample', DType.float, ['batch', vae.pictures, 'height', 'width']);
  const sizes = net.g.ints([vae.latents, vae.latents]);
  const [mean] = net.ops('', 'Split', [vae.encode(sample), sizes], { axis: 1 }, 2);
  net.output('out_sample', vae.decode(mean), ['batch', vae.channelsOut, 'height', 'width']);
});

/** The modules of AutoencoderKL in diffusers (autoencoder_kl.py, vae.py). */
class Autoencoder {
  /** Channels of pictures, of latents, and of decoded pictures. */
  readonly pictures: number;
  readonly latents: number;
  readonly channelsOut: number;
  private readonly levels: number[];
  private readonly layers: number;
  private readonly norm: Groups;
  private readonly kind: ResnetKind;

  constructor(
    private readonly net: Network,
    private readonly config: Config,
  ) {
    this.pictures = config.count('in_channels', 3);
    this.latents = config.count('latent_channels', 4);
    this.channelsOut = config.count('out_channels', 3);
    this.levels = config.counts('block_out_channels', [64]);
    const [layers] = config.layersEach('layers_per_block', 1, 1);
    this.layers = layers;
    this.norm = { groups: groupsOf(config, this.levels), epsilon: EPSILON };
    this.kind = { norm: this.norm, act: activationOf(config, 'act_fn', 'silu') };
    for (const [key, type] of [
      ['down_block_types', 'DownEncoderBlock2D'],
      ['up_block_types', 'UpDecoderBlock2D'],
    ]) {
      const types = config.texts(key) ?? [type];
      if (types.length !== this.levels.length || types.some((t) => t !== type))
        throw config.unsupported(key, [new Array<string>(Math.min(this.levels.length, 8)).fill(type)]);
    }
  }

  encode(sample: string): string {
    const { net, levels } = this;
    const at = 'encoder';
    let channels = levels[0];
    let x = conv2d(net, `${at}.conv_in`, sample, { from: this.pictures, to: channels });
    levels.forEach((to, i) => {
      const block = `${at}.down_blocks.${i}`;
      for (let j = 0; j < this.layers; j++) {
        x = resnet(net, `${block}.resnets.${j}`, x, { from: channels, to }, this.kind);
        channels = to;
      }
      if (i < levels.length - 1) x = downsampled(net, `${block}.downsamplers.0.conv`, x, to, 0);
    });
    x = this.end(at, this.middle(at, x, channels), channels, 2 * this.latents);
    return this.quant('quant_conv', x, 2 * this.latents);
  }

  decode(latents: string): string {
    const { net } = this;
    const at = 'decoder';
    const levels = [...this.levels].reverse();
    let channels = levels[0];
    let x = this.quant('post_quant_conv', latents, this.latents);
    x = conv2d(net, `${at}.conv_in`, x, { from: this.latents, to: channels });
    x = this.middle(at, x, channels);
    levels.forEach((to, i) => {
      const block = `${at}.up_blocks.${i}`;
      for (let j = 0; j <= this.layers; j++) {
        x = resnet(net, `${block}.resnets.${j}`, x, { from: channels, to }, this.kind);
        channels = to;
      }
      if (i === levels.length - 1) return;
      const up = `${block}.upsamplers.0`;
      x = conv2d(net, `${up}.conv`, doubled(net, up, x), { from: to, to });
    });
    return this.end(at, x, channels, this.channelsOut);
  }

  /** Applies the projection of a model that has it. */
  private quant(module: string, x: string, channels: number): string {
    if (!this.config.flag(`use_${module}`, true)) return x;
    return conv2d(this.net, module, x, { from: channels, to: channels, kernel: 1 });
  }

  private middle(module: string, before: string, channels: number): string {
    const { net, kind } = this;
    const at = `${module}.mid_block`;
    const size = { from: channels, to: channels };
    let x = resnet(net, `${at}.resnets.0`, before, size, kind);
    if (this.config.flag('mid_block_add_attention', true))
      x = imageAttention(net, `${at}.attentions.0`, x, channels, this.norm);
    return resnet(net, `${at}.resnets.1`, x, size, kind);
  }

  /** The last layers; their activation is not a setting. */
  private end(module: string, x: string, from: number, to: number): string {
    const { net } = this;
    const normal = SILU(net, module, groupNorm(net, `${module}.conv_norm_out`, x, from, this.norm));
    return conv2d(net, `${module}.conv_out`, normal, { from, to });
  }
}
