import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  type FloatTensor,
} from '../../../../src/graph/file/safetensors';
import { AuroraError } from '../../../../src/base/errors';

const tensor = (dims: number[], values: number[]): FloatTensor => ({ dims, data: Float32Array.from(values) });
const two = new Map([
  ['b.weight', tensor([2, 3], [1, 2, 3, 4, 5, 6])],
  ['a', tensor([], [7])],
]);

/** A file with this header and this many bytes of body, valid or not. */
function raw(header: unknown, body: number, headerBytes?: number): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const out = Buffer.alloc(8 + json.length + body);
  out.writeBigUInt64LE(BigInt(headerBytes ?? json.length));
  json.copy(out, 8);
  return out;
}
const entry = (shape: number[], data_offsets: number[], dtype = 'F32') => ({ dtype, shape, data_offsets });

describe('safetensors', () => {
  it('writes the documented layout with sorted names and a header padded to 8 bytes', () => {
    const bytes = Buffer.from(encodeSafetensors(two, { format: 'pt' }));
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    expect(
      bytes
        .subarray(8, 8 + length)
        .toString()
        .trimEnd(),
    ).toBe(
      '{"__metadata__":{"format":"pt"},' +
        '"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
        '"b.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}',
    );
    expect(bytes.readFloatLE(8 + length)).toBe(7);
    expect(bytes.readFloatLE(8 + length + 24)).toBe(6);
    expect(bytes.length).toBe(8 + length + 28);
  });

  it('writes the same bytes whatever the order of the tensors', () => {
    expect(encodeSafetensors(new Map([...two].reverse()))).toEqual(encodeSafetensors(two));
  });

  it('preserves every bit at any alignment', () => {
    const float = fc.float({ noDefaultInfinity: false });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.array(float, { maxLength: 9 })),
        fc.nat(7),
        (lists, shift) => {
          const tensors = new Map(Object.entries(lists).map(([n, v]) => [n, tensor([v.length], v)] as const));
          tensors.delete('__metadata__');
          const bytes = encodeSafetensors(tensors);
          const shifted = Buffer.alloc(bytes.length + shift).subarray(shift);
          shifted.set(bytes);
          expect(new Map(decodeSafetensors(shifted, 'x').tensors)).toEqual(tensors);
        },
      ),
    );
  });

  it('accepts any tensor name', () => {
    const tensors = new Map([['__proto__', tensor([1], [1])]]);
    expect(new Map(decodeSafetensors(encodeSafetensors(tensors), 'x').tensors)).toEqual(tensors);
  });

  it('reads an empty tensor that is listed after another one at the same offset', () => {
    const { tensors } = decodeSafetensors(raw({ b: entry([1], [0, 4]), a: entry([0, 2], [0, 0]) }, 4), 'x');
    expect([...tensors.keys()]).toEqual(['a', 'b']);
  });

  it('reads 16-bit floats, which it does not write', () => {
    const bits = [0x3c00, 0xc100, 0x3f80, 0xc020];
    const file = raw({ a: entry([2], [0, 4], 'F16'), b: entry([2], [4, 8], 'BF16') }, 8);
    new Uint8Array(file.buffer, file.byteOffset + file.length - 8, 8).set(
      new Uint8Array(Uint16Array.from(bits).buffer),
    );
    const { tensors } = decodeSafetensors(file, 'x');
    expect([...tensors.get('a')!.data]).toEqual([1, -2.5]);
    expect([...tensors.get('b')!.data]).toEqual([1, -2.5]);
  });

  it('reports the file and what is wrong with it', () => {
    const bad: [string, Uint8Array][] = [
      ['it has 0 bytes', new Uint8Array(0)],
      ['header is cut off', raw({}, 0, 1e15)],
      ['not a JSON object', raw('{"a":', 0)],
      ['not a JSON object', raw('[1]', 0)],
      ['entry for a is malformed', raw({ a: null }, 0)],
      ['entry for a is malformed', raw({ a: entry([-1], [0, 4]) }, 4)],
      ['type F64', raw({ a: entry([1], [0, 8], 'F64') }, 8)],
      ['do not match its shape', raw({ a: entry([1], [0, 4], 'F16') }, 4)],
      ['do not match its shape', raw({ a: entry([2], [0, 4]) }, 4)],
      ['do not match its shape', raw({ a: entry([1], [4, 8]) }, 8)],
      ['do not match its shape', raw({ a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, 4)],
      ['b is cut off', raw({ a: entry([1], [0, 4]), b: entry([1], [4, 8]) }, 6)],
      ['bytes that belong to no tensor', raw({ a: entry([1], [0, 4]) }, 5)],
      ['metadata', raw({ __metadata__: { a: 1 } }, 0)],
    ];
    for (const [why, bytes] of bad) {
      expect(() => decodeSafetensors(bytes, 'adapter.safetensors')).toThrow(why);
      expect(() => decodeSafetensors(bytes, 'adapter.safetensors')).toThrow(AuroraError);
    }
  });

  it('rejects a file that is truncated anywhere', () => {
    const bytes = encodeSafetensors(two);
    for (let n = 0; n < bytes.length; n++)
      expect(() => decodeSafetensors(bytes.subarray(0, n), 'x')).toThrow(AuroraError);
  });
});
