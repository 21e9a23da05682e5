import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import type { Attribute, Model, Tensor } from '../../../src/graph/model';
import { decodeModel } from './decode-model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { decodeTensor } from '../../../src/graph/onnx/tensor';
import { BinaryWriter, WireType } from '../../../src/graph/onnx/wire';
import { tensorNumbers, tensorOf } from '../../../src/graph/values';
import { difference, host, input, model, node, runModel } from './onnx-models';

const utf8 = (s: string) => new TextEncoder().encode(s);
/** A message with one length-delimited field. */
const raw = (no: number, bytes: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(no, WireType.LengthDelimited).bytes(bytes).finish();
const reference = (name: string) =>
  readFileSync(new URL(`../../fixtures/reference/${name}.onnx`, import.meta.url));

/** A model's contents as text, with bytes in hexadecimal. */
const written = (m: Model): string =>
  JSON.stringify(m, (_, v: unknown) => {
    if (v instanceof Map) return [...v];
    // JSON.stringify has already called the Buffer's toJSON.
    const bytes = (v as { type?: string; data?: number[] } | null)?.type === 'Buffer';
    if (bytes) return Buffer.from((v as { data: number[] }).data).toString('hex');
    return v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v;
  });

describe.each(['bert', 'bert-opset13', 'llama', 'vit'])('%s', (name) => {
  it('survives a round trip', () => {
    const m = decodeModel(reference(name));
    const bytes = encodeModel(m);
    const again = decodeModel(bytes);
    expect(written(again) === written(m)).toBe(true);
    expect(Buffer.compare(encodeModel(again), bytes)).toBe(0);
    // Nothing is lost: raw data is stored once, so the sizes differ only by how fields are packed.
    expect(Math.abs(bytes.length - reference(name).length)).toBeLessThan(reference(name).length * 0.01);
  });
});

describe('unknown fields are kept byte for byte', () => {
  const base = () =>
    model({
      opset: 20,
      inputs: [input('x', DType.float, [2])],
      nodes: [node('Identity', ['x'], ['y'])],
      outputs: ['y'],
      initializers: [tensorOf('t', DType.float, [1], [1])],
    });
  const unknownField = fc
    .tuple(fc.integer({ min: 200, max: 5000 }), fc.uint8Array({ maxLength: 20 }))
    .map(([no, bytes]) => raw(no, bytes));

  it('in the model, the graph, a node, a tensor and a value', () =>
    fc.assert(
      fc.property(fc.array(unknownField, { minLength: 5, maxLength: 5 }), (fields) => {
        const m = base();
        const owners = (of: Model) => [
          of,
          of.graph,
          of.graph.nodes[0],
          of.graph.initializers.get('t')!,
          of.graph.inputs[0],
        ];
        owners(m).forEach((owner, i) => (owner.unknown = [fields[i]]));
        const found = owners(decodeModel(encodeModel(m))).map((owner) => owner.unknown?.map((u) => [...u]));
        expect(found).toEqual(fields.map((f) => [[...f]]));
      }),
    ));

  it('if they are fixed-width or varint fields', () => {
    const m = base();
    m.unknown = [
      new BinaryWriter().tag(300, WireType.Varint).uint64('18446744073709551615').finish(),
      new BinaryWriter().tag(301, WireType.Bit32).fixed32(7).finish(),
      new BinaryWriter().tag(302, WireType.Bit64).double(-0).finish(),
    ];
    expect(decodeModel(encodeModel(m)).unknown?.map((u) => [...u])).toEqual(m.unknown.map((u) => [...u]));
  });
});

describe('attributes', () => {
  const roundTrip = (a: Attribute): Attribute | undefined => {
    const n = node('Op', ['x'], ['y']);
    n.attributes.set('a', a);
    const m = model({ opset: 20, inputs: [], nodes: [n], outputs: [] });
    return decodeModel(encodeModel(m)).graph.nodes[0].attributes.get('a');
  };
  it.each<Attribute>([
    { type: 'int', value: 0 },
    { type: 'int', value: -1 },
    { type: 'int', value: 2 ** 53 - 1 },
    { type: 'int', value: -(2n ** 63n) },
    { type: 'float', value: 0 },
    { type: 'float', value: Math.fround(-1e-30) },
    { type: 'float', value: -Infinity },
    { type: 'string', value: '' },
    { type: 'string', value: '\uFEFFwith a mark, ünïcode 🙂' },
    { type: 'ints', value: [] },
    { type: 'ints', value: [1, -2, 2n ** 62n] },
    { type: 'floats', value: [0.5, -0] },
    { type: 'strings', value: ['a', '', 'b'] },
  ])('$type $value', (a) => expect(roundTrip(a)).toEqual(a));

  it('keep the bytes of a string that is not valid UTF-8', () => {
    const attribute = Buffer.concat([
      raw(1, utf8('a')),
      raw(4, Uint8Array.of(0xff, 0x00, 0xfe)),
      Uint8Array.of(0xa0, 1, 3),
    ]);
    const bytes = Buffer.concat([raw(7, raw(1, raw(5, attribute)))]);
    const again = decodeModel(encodeModel(decodeModel(bytes)));
    const a = again.graph.nodes[0].attributes.get('a');
    expect(a?.type === 'other' && [...a.value]).toEqual([...attribute]);
  });
});

describe('tensors', () => {
  const header = (dtype: number, dims: number[]) => {
    const w = new BinaryWriter();
    for (const d of dims) w.tag(1, WireType.Varint).int64(d);
    w.tag(2, WireType.Varint).int32(dtype);
    return w;
  };
  const packed = (no: number, write: (w: BinaryWriter) => void) => {
    const w = new BinaryWriter();
    write(w);
    return raw(no, w.finish());
  };
  const decode = (w: BinaryWriter, field: Uint8Array): Tensor =>
    decodeTensor(Buffer.concat([w.finish(), field]));

  it.each<[string, number, number, (w: BinaryWriter) => void, number[]]>([
    ['float_data', DType.float, 4, (w) => w.float(1.5).float(-2), [1.5, -2]],
    ['double_data', DType.double, 10, (w) => w.double(1e300).double(-2), [1e300, -2]],
    ['int64_data', DType.int64, 7, (w) => w.int64(-5).int64(7), [-5, 7]],
    ['int32_data', DType.int32, 5, (w) => w.int32(-5).int32(7), [-5, 7]],
    ['int32_data of int8', DType.int8, 5, (w) => w.int32(-5).int32(7), [-5, 7]],
    ['int32_data of uint16', DType.uint16, 5, (w) => w.int32(65535).int32(7), [65535, 7]],
    ['int32_data of bool', DType.bool, 5, (w) => w.int32(1).int32(0), [1, 0]],
    ['int32_data of float16', DType.float16, 5, (w) => w.int32(0x3c00).int32(0xc000), [1, -2]],
    ['uint64_data', DType.uint64, 11, (w) => w.uint64(5).uint64(7), [5, 7]],
    ['uint64_data of uint32', DType.uint32, 11, (w) => w.uint64(4294967295).uint64(7), [4294967295, 7]],
  ])('read values in %s', (_, dtype, no, write, values) =>
    expect(tensorNumbers(decode(header(dtype, [2]), packed(no, write)))).toEqual(values),
  );

  it('read values that are not packed', () => {
    const w = header(DType.float, [2]);
    w.tag(4, WireType.Bit32).float(3).tag(4, WireType.Bit32).float(4);
    expect(tensorNumbers(decode(w, new Uint8Array()))).toEqual([3, 4]);
  });

  it('store two four-bit integers per byte', () => {
    const t = decode(
      header(22, [4]),
      packed(5, (w) => w.int32(0x21).int32(0x43)),
    );
    expect([...(t.data as Uint8Array)]).toEqual([0x21, 0x43]);
  });

  it('keep strings', () => {
    const t = decode(
      header(DType.string, [2]),
      Buffer.concat([raw(6, utf8('a')), raw(6, Uint8Array.of(255))]),
    );
    const m = model({ opset: 20, inputs: [], nodes: [], outputs: [], initializers: [{ ...t, name: 's' }] });
    const again = decodeModel(encodeModel(m)).graph.initializers.get('s')!;
    expect(again.strings!.map((s) => [...s])).toEqual([[97], [255]]);
  });

  it('keep external data external until the file is looked up', () => {
    const pair = (key: string, value: string) =>
      raw(13, Buffer.concat([raw(1, utf8(key)), raw(2, utf8(value))]));
    const tensor = Buffer.concat([
      header(DType.float, [2]).finish(),
      raw(8, utf8('w')),
      pair('location', 'weights.bin'),
      pair('offset', '4096'),
      Uint8Array.of(0x70, 1),
    ]);
    const m = decodeModel(raw(7, raw(5, tensor)));
    const again = decodeModel(encodeModel(m));
    expect(Buffer.from(encodeModel(again)).includes('weights.bin')).toBe(true);
    expect(Buffer.from(encodeModel(again)).includes('undefined')).toBe(false);
    expect(again.graph.initializers.get('w')!.data).toHaveLength(0);
  });

  it.each([DType.float, DType.double, DType.float16, DType.int8, DType.uint32, DType.int64, DType.bool])(
    'are read by ONNX Runtime as written, type %i',
    async (dtype) => {
      const values = dtype === DType.bool ? [1, 0, 1] : [1, 2, 3];
      const m = model({
        opset: 20,
        inputs: [],
        nodes: [node('Identity', ['t'], ['y'])],
        outputs: ['y'],
        initializers: [tensorOf('t', dtype, [3], values)],
      });
      expect(difference({ y: host([3], values, dtype) }, await runModel(m, {}))).toBeUndefined();
    },
  );
});
