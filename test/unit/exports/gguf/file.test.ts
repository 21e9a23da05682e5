import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ENCODINGS } from '../../../../src/exports/gguf/encodings';
import {
  bool,
  float32,
  type GgufTensor,
  type MetadataValue,
  string,
  uint32,
  writeGguf,
} from '../../../../src/exports/gguf/gguf-file';
import { readGguf } from '../../../../src/exports/gguf/gguf-reader';
import { fromFile, type Layout, permuteRows, toFile } from '../../../../src/exports/gguf/layout';
import { readFileRef } from '../../../../src/graph/values';

const folder = mkdtempSync(join(tmpdir(), 'aurora-gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tensor = (
  name: string,
  dims: number[],
  type: GgufTensor['type'],
  values: Float32Array,
): GgufTensor => ({
  name,
  dims,
  type,
  data: () => [ENCODINGS[type].encode(values)],
});

describe('a GGUF file', () => {
  it('has the bytes of the format', () => {
    const path = join(folder, 'small.gguf');
    const metadata = new Map([['a', uint32(7)]]);
    writeGguf(path, metadata, [
      tensor('x', [2, 3], 'F32', Float32Array.of(1, 2, 3, 4, 5, 6)),
      tensor('y', [1], 'F16', Float32Array.of(1)),
    ]);
    const bytes = readFileSync(path);
    expect(bytes.subarray(0, 4).toString()).toBe('GGUF');
    const numbers = [4, 8, 16].map((at) =>
      at === 4 ? bytes.readUInt32LE(at) : Number(bytes.readBigUInt64LE(at)),
    );
    expect(numbers).toEqual([3, 2, 1]);
    // The key, its type and its value.
    expect([...bytes.subarray(24, 41)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 97, 4, 0, 0, 0, 7, 0, 0, 0]);
    // The name, the number of dimensions, and these with the fastest first.
    expect([...bytes.subarray(41, 54)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 120, 2, 0, 0, 0]);
    expect([54, 62].map((at) => Number(bytes.readBigUInt64LE(at)))).toEqual([3, 2]);
    expect([bytes.readUInt32LE(70), Number(bytes.readBigUInt64LE(74))]).toEqual([0, 0]);
    // The second tensor begins at the next multiple of 32 after the first.
    expect([bytes.readUInt32LE(103), Number(bytes.readBigUInt64LE(107))]).toEqual([1, 32]);
    const start = 128;
    expect(bytes.readFloatLE(start + 20)).toBe(6);
    expect(bytes.readUInt16LE(start + 32)).toBe(0x3c00);
    expect(bytes).toHaveLength(start + 64);
  });

  it('is read back as it was written', () => {
    const path = join(folder, 'all.gguf');
    const metadata = new Map<string, MetadataValue>([
      ['general.architecture', string('llama')],
      ['number', { type: 'int32', value: -3 }],
      ['share', float32(0.5)],
      ['flag', bool(true)],
      ['texts', { type: 'strings', value: ['', 'Ω', 'two words'] }],
      ['numbers', { type: 'int32s', value: [1, -2] }],
      ['scores', { type: 'float32s', value: [-1.5] }],
    ]);
    const values = Float32Array.from({ length: 64 }, (_, i) => i - 32);
    writeGguf(path, metadata, [tensor('a', [64], 'F32', values), tensor('b', [2, 32], 'Q8_0', values)]);
    const file = readGguf(path);
    expect(file.metadata).toEqual(metadata);
    expect([...file.tensors.values()].map(({ name, dims, type }) => [name, dims, type])).toEqual([
      ['a', [64], 'F32'],
      ['b', [2, 32], 'Q8_0'],
    ]);
    const [a, b] = [...file.tensors.values()].map(({ type, data }) =>
      ENCODINGS[type].decode(readFileRef(data)),
    );
    expect(a).toEqual(values);
    expect(Math.max(...b.map((v, i) => Math.abs(v - values[i])))).toBeLessThan(0.2);
  });

  it('is not there if a tensor cannot be made', () => {
    const broken = {
      ...tensor('x', [1], 'F32', Float32Array.of(1)),
      data: () => {
        throw new Error('no more');
      },
    };
    expect(() => writeGguf(join(folder, 'broken.gguf'), new Map(), [broken])).toThrow('no more');
    const short = tensor('x', [2], 'F32', Float32Array.of(1));
    expect(() => writeGguf(join(folder, 'broken.gguf'), new Map(), [short])).toThrow('4 bytes instead of 8');
    expect(readdirSync(folder).filter((name) => name.includes('broken'))).toEqual([]);
  });
});

describe('Q8_0', () => {
  const { encode, decode } = ENCODINGS.Q8_0;

  it('has a float16 scale and 32 rounded integers in a block, halves away from zero', () => {
    const values = new Float32Array(32);
    values.set([127, 0.5, -0.5, 2.5, -126.4]);
    const bytes = encode(values);
    expect([bytes.length, bytes[0], bytes[1]]).toEqual([34, 0, 0x3c]);
    expect([...new Int8Array(bytes.buffer).subarray(2, 8)]).toEqual([127, 1, -1, 3, -126, 0]);
    expect([...decode(bytes).subarray(0, 5)]).toEqual([127, 1, -1, 3, -126]);
  });

  it('is exact for zeros, and off by half a step otherwise', () => {
    expect(decode(encode(new Float32Array(32)))).toEqual(new Float32Array(32));
    const values = Float32Array.from({ length: 96 }, (_, i) => Math.sin(i * 1.7) * 10 ** ((i >> 5) - 1));
    const decoded = decode(encode(values));
    for (const [i, value] of values.entries()) {
      const block = values.subarray((i >> 5) * 32, ((i >> 5) + 1) * 32);
      const step = Math.max(...block.map(Math.abs)) / 127;
      // The scale itself is rounded to 11 bits.
      expect(Math.abs(decoded[i] - value)).toBeLessThanOrEqual(step / 2 + Math.abs(value) / 2048);
    }
  });
});

describe('the order of rows', () => {
  it('has neighbors turned together in the file, and halves in PyTorch', () => {
    const rows = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    expect([...permuteRows(rows, 12, 2)]).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
  });

  it.each<Layout>([
    { kind: 'same' },
    { kind: 'permuted', heads: 3 },
    { kind: 'transposed' },
    { kind: 'plus-one' },
  ])('of $kind is undone exactly', (layout) => {
    const values = Float32Array.from({ length: 60 }, (_, i) => i / 64);
    const there = toFile(values, [12, 5], layout);
    expect(fromFile(there, [12, 5], layout)).toEqual(values);
    if (layout.kind !== 'same') expect(there).not.toEqual(values);
  });
});
