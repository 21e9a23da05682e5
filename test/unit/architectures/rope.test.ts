import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Network } from '../../../src/architectures/blocks/network';
import { ropeOf, type RopeDefaults, rotary } from '../../../src/architectures/blocks/rope';
import { Config } from '../../../src/architectures/folder/config';
import { readWeights } from '../../../src/architectures/folder/weight-files';
import { Weights } from '../../../src/architectures/folder/weights';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_OPSET } from '../../../src/graph/model';
import { host, runModel } from '../graph/onnx-models';
import { Folders, safetensors } from './folders';

const folders = new Folders();
afterAll(() => folders.remove());

interface Case {
  name: string;
  config: Record<string, unknown>;
  width: number;
  length: number;
  frequencies: number[];
  factor: number;
}

const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/rope/cases.json'), 'utf8'),
) as Case[];

const config = (values: Record<string, unknown>) => new Config(values, 'config.json');

/** The rotated x (sequence, width) of one head. */
async function turned(
  values: Case['config'],
  x: number[],
  width: number,
  more: Partial<RopeDefaults> = {},
  interleaved = false,
) {
  const folder = folders.make({ 'model.safetensors': safetensors({ w: { dims: [1] } }) });
  const net = new Network(new Weights(readWeights(folder), folder, [], 'w'));
  const places = net.g.addInput('places', DType.int64, ['sequence']);
  const input = net.g.addInput('x', DType.float, [1, 1, 'sequence', width]);
  const rope = ropeOf(config(values), { width, positions: 256, ...more });
  net.output('y', rotary(net, places, rope, width, interleaved)(input), [1, 1, 'sequence', width]);
  const length = x.length / width;
  const opsets = new Map([['', INTERNAL_OPSET]]);
  const model = { irVersion: 9, producer: '', opsets, graph: net.graph, metadata: net.metadata };
  const { y } = await runModel(model, {
    places: host([length], [...Array(length).keys()], DType.int64),
    x: host([1, 1, length, width], x, DType.float),
  });
  return Array.from(y.data as Float32Array);
}

/** `length` heads of this. */
const repeated = (head: number[], length: number) => Array.from({ length }, () => head).flat();

describe('rotary embeddings are those of transformers', () => {
  it.each(cases)('$name, $length tokens', async ({ config: values, width, length, frequencies, factor }) => {
    // One in the first half, zero in the second: the cosines and then the sines of each place.
    const half = Array<number>(width / 2);
    const head = [...half.fill(1), ...Array<number>(width / 2).fill(0)];
    const got = await turned(values, repeated(head, length), width);
    const angles = Array.from({ length }, (_, place) => frequencies.map((f) => place * f));
    const want = angles.flatMap((row) => [...row.map(Math.cos), ...row.map(Math.sin)]).map((v) => v * factor);
    expect(got).toHaveLength(want.length);
    got.forEach((v, i) => expect(v).toBeCloseTo(want[i], 5));
  });

  it('turn a part of each head, where the family says so', async () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    const values = { rope_theta: 100, partial_rotary_factor: 0.5 };
    const got = await turned(values, repeated(x, 2), 8, { part: 1 });
    const [c, s] = [Math.cos, Math.sin];
    // Features 0 and 2 by one radian, 1 and 3 by a tenth; 4 to 7 stay.
    const want = [c(1) - 3 * s(1), 2 * c(0.1) - 4 * s(0.1), 3 * c(1) + s(1), 4 * c(0.1) + 2 * s(0.1)];
    [...x, ...want, 5, 6, 7, 8].forEach((v, i) => expect(got[i]).toBeCloseTo(v, 5));
    const inside = { rope_parameters: { rope_type: 'default', rope_theta: 100, partial_rotary_factor: 0.5 } };
    expect(await turned(inside, repeated(x, 2), 8, { part: 1 })).toEqual(got);
  });

  it('turn neighbours, where the family says so', async () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    const [c, s] = [Math.cos, Math.sin];
    const turn = (a: number, b: number, by: number) => [a * c(by) - b * s(by), b * c(by) + a * s(by)];
    const whole = await turned({ rope_theta: 16 }, repeated(x, 2), 8, {}, true);
    const want = [...turn(1, 2, 1), ...turn(3, 4, 0.5), ...turn(5, 6, 0.25), ...turn(7, 8, 0.125)];
    [...x, ...want].forEach((v, i) => expect(whole[i]).toBeCloseTo(v, 5));
    const half = { rope_theta: 100, partial_rotary_factor: 0.5 };
    const part = await turned(half, repeated(x, 2), 8, { part: 1 }, true);
    [...x, ...turn(1, 2, 1), ...turn(3, 4, 0.1), 5, 6, 7, 8].forEach((v, i) =>
      expect(part[i]).toBeCloseTo(v, 5),
    );
  });
});

/** Powers of the base are not exact, but rounded to float32 in a graph. */
const near = (values: readonly number[]) => values.map((v) => expect.closeTo(v, 15));

describe('partial_rotary_factor', () => {
  const frequencies = (values: Record<string, unknown>, part?: number) =>
    ropeOf(config({ rope_theta: 16, ...values }), { width: 8, positions: 256, part }).frequencies;
  const inside = (more: Record<string, unknown>) => ({ rope_parameters: { rope_theta: 16, ...more } });

  it('counts before the default of a family, and in rope_parameters before one outside', () => {
    expect(frequencies({}, 0.5)).toEqual([1, 1 / 4]);
    expect(frequencies({ partial_rotary_factor: 0.25 }, 0.5)).toEqual([1]);
    const both = { partial_rotary_factor: 0.5, ...inside({ partial_rotary_factor: 0.25 }) };
    expect(frequencies(both, 0.5)).toEqual([1]);
    expect(frequencies(inside({ rope_type: 'linear', factor: 2 }), 0.5)).toEqual([1 / 2, 1 / 8]);
    // Phi-3 has no default for it.
    const scaled = { rope_type: 'linear', factor: 2, partial_rotary_factor: 0.25 };
    expect(frequencies(inside(scaled), 1)).toEqual([1 / 2]);
  });

  it('has no effect in families that turn all of a head, as in transformers 5', () => {
    const whole = near([1, 1 / 2, 1 / 4, 1 / 8]);
    expect(frequencies({ partial_rotary_factor: 0.5 })).toEqual(whole);
    expect(frequencies(inside({ rope_type: 'default', partial_rotary_factor: 0.5 }))).toEqual(whole);
  });

  it('says where proportional rotary embeddings end', () => {
    const half = inside({ rope_type: 'proportional', partial_rotary_factor: 0.5 });
    expect(frequencies(half)).toEqual(near([1, 1 / 2, 0, 0]));
    expect(frequencies({ ...inside({ rope_type: 'proportional', factor: 2 }) })).toEqual(
      near([1 / 2, 1 / 4, 1 / 8, 1 / 16]),
    );
    const outside = { partial_rotary_factor: 0.75, ...inside({ rope_type: 'proportional' }) };
    expect(frequencies(outside)).toEqual(near([1, 1 / 2, 1 / 4, 0]));
  });
});

describe('settings of rotary embeddings are refused', () => {
  const refuses = (values: Record<string, unknown>, message: RegExp, more: Partial<RopeDefaults> = {}) =>
    expect(() => ropeOf(config(values), { width: 8, positions: 256, ...more })).toThrow(message);

  it('of an unknown kind, or one that the family does not have', () => {
    refuses({ rope_scaling: { type: 'mrope' } }, /rope_scaling\.type is "mrope"/);
    refuses({ rope_parameters: { rope_type: 'ntk' } }, /rope_parameters\.rope_type is "ntk"/);
    const kinds = new Map([['su', 'longrope']]);
    refuses({ rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling\.type is "linear"/, { kinds });
  });

  it('for each kind of layer, in a family that has one kind', () =>
    refuses(
      { rope_parameters: { full_attention: { rope_type: 'default' } } },
      /rope_parameters\.full_attention is/,
    ));

  it('without a factor, or with factors for another size', () => {
    refuses({ rope_scaling: { type: 'linear' } }, /no rope_scaling\.factor/);
    const lists = { short_factor: [1, 1, 1], long_factor: [1, 1, 1, 1] };
    refuses(
      { rope_scaling: { type: 'longrope', ...lists } },
      /short_factor is \[1,1,1\], not a list of 4 positive/,
    );
  });

  it('with an odd part, or two parts and a scaling', () => {
    refuses({ partial_rotary_factor: 0.4 }, /partial_rotary_factor is 0\.4/, { part: 1 });
    const scaling = { rope_type: 'linear', factor: 2, partial_rotary_factor: 0.25 };
    const both = { partial_rotary_factor: 0.5, rope_parameters: scaling };
    refuses(both, /rope_parameters\.partial_rotary_factor is 0\.25/, { part: 1 });
    // The family's default comes before that of the scaling, too.
    refuses({ rope_parameters: scaling }, /rope_parameters\.partial_rotary_factor is 0\.25/, { part: 0.5 });
  });

  it('with a part of a head and a scaling, in families that turn all of it', () => {
    const scaling = { rope_type: 'linear', factor: 2 };
    refuses({ partial_rotary_factor: 0.5, rope_scaling: scaling }, /partial_rotary_factor is 0\.5/);
    refuses(
      { rope_scaling: { ...scaling, partial_rotary_factor: 0.5 } },
      /rope_scaling\.partial_rotary_factor is 0\.5/,
    );
  });

  it('of proportional rotary embeddings, in families that turn a part', () =>
    refuses({ rope_scaling: { rope_type: 'proportional' } }, /rope_type is "proportional"/, { part: 0.5 }));
});
