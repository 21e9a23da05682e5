import { conv2d, doubled } from '../../blocks/images';
import type { Network } from '../../blocks/network';
import type { Config } from '../../folder/config';
import { headsOf, type Heads, type Tokens } from './attention';
import { downsampled, resnet, type ResnetKind } from './resnet';
import { transformer } from './transformer';
import type { Level, UNetShape } from './unet-shape';

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
