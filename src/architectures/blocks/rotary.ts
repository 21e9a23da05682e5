import { DType } from '../../graph/dtype';
import { SCALED_AFTER, type Network } from './network';
import type { Rope } from './rope';

const AT = 'rotary_emb';

/** Turns a tensor (batch, heads, sequence, width) by the places of its tokens. */
export type Rotate = (x: string) => string;

/**
 * Rotary embedding: turns features i and i + n of each head by place · frequency i, where n is the number of frequencies.
 *
 * @param places int64 (sequence), with a cache (batch, sequence)
 * @param width size of a head; features from 2n on stay
 */
export function rotary(net: Network, places: string, rope: Rope, width: number): Rotate {
  const count = rope.frequencies.length;
  const real = net.op(AT, 'Cast', [places], { to: DType.float });
  const angles = net.op(AT, 'Mul', [
    net.op(AT, 'Unsqueeze', [real, net.g.ints(net.cached ? [1, 3] : [1])]),
    frequenciesAt(net, real, rope),
  ]);
  const times = (v: string, by: string) => net.op(AT, 'Mul', [v, by]);
  const scaled = (v: string) => (rope.factor === 1 ? v : times(v, net.float(rope.factor)));
  const [cos, sin] = [scaled(net.op(AT, 'Cos', [angles])), scaled(net.op(AT, 'Sin', [angles]))];
  return (x) => {
    const rest = width - 2 * count;
    const sizes = net.g.ints([count, count, ...(rest > 0 ? [rest] : [])]);
    const [a, b, ...stay] = net.ops(AT, 'Split', [x, sizes], { axis: -1 }, rest > 0 ? 3 : 2);
    const first = net.op(AT, 'Sub', [times(a, cos), times(b, sin)]);
    const second = net.op(AT, 'Add', [times(b, cos), times(a, sin)]);
    return net.op(AT, 'Concat', [first, second, ...stay], { axis: -1 });
  };
}

/** The frequencies (count) for a text whose last place is known when the graph runs. */
function frequenciesAt(net: Network, places: string, { frequencies, longer }: Rope): string {
  const all = (values: readonly number[]) => net.g.constant(DType.float, [values.length], [...values]);
  if (!longer) return all(frequencies);
  net.metadata.set(SCALED_AFTER, String(longer.than));
  const last = net.op(AT, 'ReduceMax', [places], { keepdims: 0 });
  const length = net.op(AT, 'Add', [last, net.float(1)]);
  if (longer.frequencies) {
    const isLonger = net.op(AT, 'Greater', [length, net.float(longer.than)]);
    return net.op(AT, 'Where', [isLonger, all(longer.frequencies), all(frequencies)]);
  }
  // The base times (factor · length / positions − (factor − 1)) ^ (size / (size − 2)), to the power of −2i / size.
  const { than, stretch = 1 } = longer;
  const beyond = net.op(AT, 'Relu', [net.op(AT, 'Sub', [length, net.float(than)])]);
  const grown = net.op(AT, 'Add', [net.op(AT, 'Mul', [beyond, net.float(stretch / than)]), net.float(1)]);
  const powers = frequencies.map((_, i) => (i === 0 ? 0 : -i / (frequencies.length - 1)));
  return net.op(AT, 'Mul', [all(frequencies), net.op(AT, 'Pow', [grown, all(powers)])]);
}
