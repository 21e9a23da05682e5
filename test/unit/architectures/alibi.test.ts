import { describe, expect, it } from 'vitest';
import { alibi, alibiSlopes, roundedAlibi } from '../../../src/architectures/blocks/alibi';
import { Network } from '../../../src/architectures/blocks/network';
import type { Weights } from '../../../src/architectures/folder/weights';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET } from '../../../src/graph/model';
import { fromBfloat16, toBfloat16 } from '../../../src/graph/number-formats';
import { host, runModel } from '../graph/onnx-models';

/** The bias (heads, keys) of these places. */
async function biasOf(
  places: number[],
  make: (net: Network, places: string) => string,
): Promise<Float32Array> {
  const net = new Network({} as Weights);
  const input = net.g.addInput('places', DType.int64, [1, 'keys']);
  net.output('bias', make(net, input), [1, 'heads', 1, 'keys']);
  const opsets = new Map([['', INTERNAL_OPSET]]);
  const model = {
    irVersion: INTERNAL_IR_VERSION,
    producer: '',
    opsets,
    graph: net.graph,
    metadata: net.metadata,
  };
  const { bias } = await runModel(model, { places: host([1, places.length], places, DType.int64) });
  expect(bias.dims[2]).toBe(1);
  return bias.data as Float32Array;
}

describe('slopes of ALiBi', () => {
  it('halve from head to head where there are eight', () =>
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i)));

  it('are between those of fewer heads where their number is no power of two', () => {
    expect(alibiSlopes(3)).toEqual([2 ** -4, 2 ** -8, 2 ** -2]);
    expect(alibiSlopes(6)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
    expect(alibiSlopes(12).slice(7)).toEqual(
      [2 ** -8, 2 ** -0.5, 2 ** -1.5, 2 ** -2.5, 2 ** -3.5].map(Math.fround),
    );
  });
});

describe('the bias of ALiBi', () => {
  it('is the place times the slope', async () => {
    const bias = await biasOf([-3, 0, 5], (net, places) => alibi(net, places, [0.5, 0.25]));
    expect([...bias]).toEqual([-1.5, 0, 2.5, -0.75, 0, 1.25]);
  });

  it.each([1, 5, 32, 112])('is rounded as a product of bfloat16 numbers is, with %i heads', async (heads) => {
    const rounded = (x: number) => fromBfloat16(toBfloat16(x));
    const slopes = alibiSlopes(heads);
    // All up to those that are rounded themselves, and some beyond, up to 2^20.
    const places = Array.from({ length: 1500 }, (_, i) => (i < 1100 ? i : 1100 + (i - 1100) ** 2 * 6 + i));
    const want = slopes.flatMap((slope) => places.map((p) => rounded(rounded(slope) * rounded(p)) * 0.5));
    const bias = await biasOf(places, (net, input) => roundedAlibi(net, input, slopes, 0.5));
    expect([...bias]).toEqual(want);
    // Else there would be nothing to round.
    expect(places.some((p) => rounded(p) !== p)).toBe(true);
  });
});
