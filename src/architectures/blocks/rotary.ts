import { AuroraError } from '../../base/errors';
import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import type { Network } from './network';

/** Of a head: one number for two features is held in memory, before any weight is looked at. */
const MOST_WIDTH = 65_536;

/**
 * The inverse frequencies of rotary embeddings, one per pair of features, with the scaling that config.json asks for
 * (transformers' modeling_rope_utils.py). Newer files have all in `rope_parameters`.
 *
 * @param width size of a head
 * @throws AuroraError 'model' for a scaling that is not implemented
 */
export function inverseFrequencies(config: Config, width: number, theta: number): number[] {
  if (width > MOST_WIDTH)
    throw new AuroraError(
      'model',
      `${config.path}: heads of ${width} features are larger than those of any model.`,
      'Download the config.json of this model again.',
    );
  const scaling = config.section('rope_parameters') ?? config.section('rope_scaling');
  const base = scaling?.has('rope_theta') ? scaling.number('rope_theta') : config.number('rope_theta', theta);
  config.require('partial_rotary_factor', 1);
  scaling?.require('partial_rotary_factor', 1);
  const plain = Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width));
  if (!scaling) return plain;
  const key = scaling.has('rope_type') ? 'rope_type' : 'type';
  const type = scaling.text(key, 'default');
  if (type === 'default') return plain;
  if (type === 'linear') return plain.map((f) => f / scaling.number('factor'));
  if (type === 'llama3') return llama3(scaling, plain, config.count('max_position_embeddings', 2048));
  throw scaling.unsupported(key, ['default', 'linear', 'llama3']);
}

/** Long wavelengths are stretched by the factor, short ones stay, those between are interpolated. */
function llama3(scaling: Config, plain: readonly number[], positions: number): number[] {
  const factor = scaling.number('factor');
  const low = scaling.number('low_freq_factor');
  const high = scaling.number('high_freq_factor');
  const old = scaling.count('original_max_position_embeddings', positions);
  return plain.map((f) => {
    const turns = (old * f) / (2 * Math.PI);
    if (turns > high) return f;
    if (turns < low) return f / factor;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * (f / factor) + smooth * f;
  });
}

/**
 * Rotary embedding at places 0 … sequence − 1: turns features i and i + width/2 of each head by place · frequency i.
 *
 * @param positions int64 (sequence)
 * @returns what turns a tensor (batch, heads, sequence, width)
 */
export function rotary(
  net: Network,
  positions: string,
  frequencies: readonly number[],
): (x: string) => string {
  const at = 'rotary_emb';
  const places = net.op(at, 'Cast', [net.op(at, 'Unsqueeze', [positions, net.g.ints([1])])], {
    to: DType.float,
  });
  const angles = net.op(at, 'Mul', [
    places,
    net.g.constant(DType.float, [1, frequencies.length], [...frequencies]),
  ]);
  const [cos, sin] = [net.op(at, 'Cos', [angles]), net.op(at, 'Sin', [angles])];
  return (x) => {
    const [a, b] = net.ops(at, 'Split', [x], { axis: -1, num_outputs: 2 }, 2);
    const times = (v: string, by: string) => net.op(at, 'Mul', [v, by]);
    const first = net.op(at, 'Sub', [times(a, cos), times(b, sin)]);
    const second = net.op(at, 'Add', [times(b, cos), times(a, sin)]);
    return net.op(at, 'Concat', [first, second], { axis: -1 });
  };
}
