import { activationOf, type Activation } from '../../blocks/activation';
import type { Groups } from '../../blocks/images';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings/encoder-size';

/** A resolution of a U-Net, on the way down or up. */
export interface Level {
  channels: number;
  /** Transformer blocks after each resnet; undefined for a block without attention. */
  transformers?: number[];
  resnets: number;
  heads: number;
  crossOnly: boolean;
}

export interface UNetShape {
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
