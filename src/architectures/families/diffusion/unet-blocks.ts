import { type Activation, activationOf } from '../../blocks/activation';
import { conv2d, doubled, type Groups } from '../../blocks/images';
import type { Network } from '../../blocks/network';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';
import { type Heads, headsOf, type Tokens, transformer } from './attention';
import { downsampled, resnet, type ResnetKind } from './resnet';

/** The tensors that all blocks read beside the picture. */
export interface Read {
  context: Tokens;
  /** The activated time embedding (batch, size). */
  time: { x: string; size: number };
  /** A vector tensor: (batch). */
  batch: string;
}

/** A picture at one resolution: (batch, channels, height, width). */
interface Picture {
  x: string;
  channels: number;
}

/** The blocks of a U-Net: down, middle, and up. */
export class Blocks {
  private readonly kind: ResnetKind;
  private readonly isLinear: boolean;
  private readonly padding: number;
  private readonly divisor: number;
  private readonly heads = new Map<number, Heads>();
  /** The tensors that the way up reads from the way down, last first. */
  private readonly skips: Picture[] = [];

  constructor(
    private readonly net: Network,
    config: Config,
    private readonly shape: UNetShape,
    private readonly read: Read,
  ) {
    const { norm, act } = shape;
    const scaleShift = config.text('resnet_time_scale_shift', 'default') === 'scale_shift';
    this.kind = { norm, act, time: read.time, scaleShift };
    this.isLinear = config.flag('use_linear_projection', false);
    this.padding = config.index('downsample_padding', 1);
    this.divisor = config.number('mid_block_scale_factor', 1);
  }

  /** @param x the output of conv_in */
  all(x: string): string {
    let now: Picture = { x, channels: this.shape.down[0].channels };
    this.skips.push(now);
    this.shape.down.forEach((level, i) => (now = this.down(`down_blocks.${i}`, now, level, i)));
    now = this.middle(now);
    this.shape.up.forEach((level, i) => (now = this.up(`up_blocks.${i}`, now, level, i)));
    return now.x;
  }

  private down(module: string, before: Picture, level: Level, i: number): Picture {
    let now = before;
    for (let j = 0; j < level.resnets; j++) {
      now = this.layer(module, now, level, j, this.kind);
      this.skips.push(now);
    }
    if (i === this.shape.down.length - 1) return now;
    const { channels } = level;
    const x = downsampled(this.net, `${module}.downsamplers.0.conv`, now.x, channels, this.padding);
    this.skips.push({ x, channels });
    return { x, channels };
  }

  private middle(before: Picture): Picture {
    const { middle } = this.shape;
    if (!middle) return before;
    const { level, blocks } = middle;
    const kind = { ...this.kind, divisor: this.divisor };
    const now = this.layer('mid_block', before, level, 0, kind);
    if (blocks === undefined) return now;
    return this.layer('mid_block', now, { ...level, transformers: undefined }, 1, kind);
  }

  private up(module: string, before: Picture, level: Level, i: number): Picture {
    const { net } = this;
    let now = before;
    for (let j = 0; j < level.resnets; j++) {
      const skip = this.skips.pop()!;
      const x = net.op(module, 'Concat', [now.x, skip.x], { axis: 1 });
      now = this.layer(module, { x, channels: now.channels + skip.channels }, level, j, this.kind);
    }
    if (i === this.shape.up.length - 1) return now;
    const { channels } = level;
    const at = `${module}.upsamplers.0`;
    const x = this.cut(at, doubled(net, at, now.x), this.skips.at(-1)!.x);
    return { x: conv2d(net, `${at}.conv`, x, { from: channels, to: channels }), channels };
  }

  /** A level with an odd size comes back from the next one with a row or column too many. */
  private cut(module: string, x: string, skip: string): string {
    const { net } = this;
    const sides = net.op(module, 'Shape', [skip], { start: 2, end: 4 });
    return net.op(module, 'Slice', [x, net.g.ints([0, 0]), sides, net.g.ints([2, 3])]);
  }

  /** A resnet, and the transformer after it if there is one. */
  private layer(module: string, before: Picture, level: Level, j: number, kind: ResnetKind): Picture {
    const { net, isLinear } = this;
    const { channels, transformers, crossOnly } = level;
    const size = { from: before.channels, to: channels };
    const x = resnet(net, `${module}.resnets.${j}`, before.x, size, kind);
    if (!transformers) return { x, channels };
    const { groups } = kind.norm;
    const [heads, context] = [this.headsOf(level), this.read.context];
    const shape = { channels, heads, blocks: transformers[j], groups, isLinear, crossOnly, context };
    return { x: transformer(net, `${module}.attentions.${j}`, x, shape), channels };
  }

  private headsOf({ heads, channels }: Level): Heads {
    const key = heads * 2 ** 20 + channels;
    const found = this.heads.get(key) ?? headsOf(this.net, this.read.batch, heads, channels / heads);
    this.heads.set(key, found);
    return found;
  }
}

/** A resolution of a U-Net, on the way down or up. */
interface Level {
  channels: number;
  /** Transformer blocks after each resnet; undefined for a block without attention. */
  transformers?: number[];
  resnets: number;
  heads: number;
  crossOnly: boolean;
}

interface UNetShape {
  down: Level[];
  up: Level[];
  /** Undefined if there is no middle; its transformer has that many blocks, or there is only one resnet. */
  middle?: { level: Level; blocks?: number };
  /** Size of the vectors of the context. */
  context: number;
  act: Activation;
  norm: Groups;
}

/** Blocks differ only in attention; names of old configs have a prefix. */
const ATTENDS: ReadonlyMap<string, boolean> = new Map(
  ['', 'UNetRes'].flatMap((old) =>
    ['Down', 'Up'].flatMap((way): [string, boolean][] => [
      [`${old}${way}Block2D`, false],
      [`${old}CrossAttn${way}Block2D`, true],
    ]),
  ),
);

const DOWN = ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'];
const UP = ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'];

/** The sizes of UNet2DConditionModel's blocks, which its config gives for all levels or for each. */
export function unetShape(config: Config): UNetShape {
  const channels = config.counts('block_out_channels', [320, 640, 1280, 1280]);
  const { length } = channels;
  const layers = config.layersEach('layers_per_block', length, 2);
  // The name is wrong, and kept so in diffusers: it is the number of heads.
  const heads = config.countEach('attention_head_dim', length, 8);
  const context = config.countEach('cross_attention_dim', length, 1280);
  if (context.some((size) => size !== context[0]))
    throw config.unsupported('cross_attention_dim', [context[0]]);
  const crossOnly = config.flagEach('only_cross_attention', length, false);
  const blocks = config.layerListsEach('transformer_layers_per_block', length, 1);
  const blocksUp = config.has('reverse_transformer_layers_per_block')
    ? config.layerListsEach('reverse_transformer_layers_per_block', length, 1)
    : [...blocks].reverse();
  const attends = (key: string, missing: string[]) => attentionOf(config, key, missing, length);
  const [attendsDown, attendsUp] = [attends('down_block_types', DOWN), attends('up_block_types', UP)];
  const level = (i: number, resnets: number, attention: boolean, own: number | number[]): Level => {
    if (attention) headWidth(config, channels[i], heads[i]);
    return {
      channels: channels[i],
      ...(attention && { transformers: transformersOf(config, own, resnets) }),
      resnets,
      heads: heads[i],
      crossOnly: crossOnly[i],
    };
  };
  const last = length - 1;
  const [own] = [blocks[last]].flat();
  return {
    down: channels.map((_, i) => level(i, layers[i], attendsDown[i], blocks[i])),
    up: channels.map((_, i) => level(last - i, layers[last - i] + 1, attendsUp[i], blocksUp[i])),
    context: context[0],
    ...middleOf(config, (attention) => level(last, 1, attention, own), own),
    act: activationOf(config, 'act_fn', 'silu'),
    norm: { groups: groupsOf(config, channels), epsilon: config.number('norm_eps', 1e-5) },
  };
}

/** The number of transformer blocks after each resnet of a level. */
function transformersOf(config: Config, own: number | number[], resnets: number): number[] {
  if (!Array.isArray(own)) return new Array<number>(resnets).fill(own);
  if (own.length >= resnets) return own;
  throw config.unsupported('transformer_layers_per_block', [
    `a number for each of a level's ${resnets} resnets`,
  ]);
}

/** Neighbouring channels that are normalized together: they divide the channels of each level. */
export function groupsOf(config: Config, channels: readonly number[]): number {
  const groups = config.count('norm_num_groups', 32);
  if (channels.every((count) => count % groups === 0)) return groups;
  throw config.unsupported('norm_num_groups', ['a divisor of each of block_out_channels']);
}

function attentionOf(config: Config, key: string, missing: string[], length: number): boolean[] {
  const types = config.texts(key) ?? missing;
  const found = types.map((type) => ATTENDS.get(type));
  if (types.length !== length || !found.every((attends) => attends !== undefined))
    throw config.unsupported(key, [...(key.startsWith('down') ? DOWN : UP).slice(-2)]);
  return found;
}

/** The middle has the sizes of the last level, and its attention never reads the context alone. */
function middleOf(
  config: Config,
  level: (attention: boolean) => Level,
  blocks: number,
): Pick<UNetShape, 'middle'> {
  if (config.isNull('mid_block_type')) return {};
  const type = config.text('mid_block_type', WITH_ATTENTION);
  if (type === WITH_ATTENTION) return { middle: { level: { ...level(true), crossOnly: false }, blocks } };
  if (type === 'UNetMidBlock2D') return { middle: { level: level(false) } };
  throw config.unsupported('mid_block_type', [WITH_ATTENTION, 'UNetMidBlock2D', null]);
}

const WITH_ATTENTION = 'UNetMidBlock2DCrossAttn';
