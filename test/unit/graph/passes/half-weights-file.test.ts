import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { toHalf } from '../../../../src/graph/number-formats';
import type { FileRef, Tensor } from '../../../../src/graph/model';
import { writeHalfWeights } from '../../../../src/graph/passes/half-weights';
import { tensorOf, tensorValues } from '../../../../src/graph/values';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('half');
const path = join(folder, 'weights.float16');

const values = (n: number, scale: number) => Array.from({ length: n }, (_, i) => Math.sin(i + 1) * scale);
const weight = (name: string, v: number[]): Tensor => tensorOf(name, DType.float, [v.length / 2, 2], v);

describe('the float16 weights file', () => {
  it('has the nearest float16 of every value, with each weight aligned', () => {
    const [a, b] = [values(10, 1), values(70, 300)];
    const { halves, kept } = writeHalfWeights([weight('a', a), weight('b', b)], path);
    expect(kept.size).toBe(0);
    expect([...tensorValues(halves.get('a')!)]).toEqual(a.map(toHalf));
    expect([...tensorValues(halves.get('b')!)]).toEqual(b.map(toHalf));
    expect((halves.get('b')!.data as FileRef).offset % 64).toBe(0);
    expect(halves.get('b')!.dims).toEqual([35, 2]);
  });

  it('omits weights that float16 cannot represent and leaves no gap for them', () => {
    const weights = [
      weight('outlier', [...values(98, 1), 65520, 0]),
      weight('broken', [...values(98, 1), NaN, 0]),
      weight('tiny', values(100, 2 ** -20)),
      weight('largest', [...values(98, 1), 65504, -65504]),
      weight('small', values(100, 2 ** -10)),
      weight('zero', values(100, 0)),
    ];
    const { halves, kept } = writeHalfWeights(weights, path);
    expect(Object.fromEntries(kept)).toEqual({
      outlier: 'too large',
      broken: 'too large',
      tiny: 'too small',
    });
    expect([...halves.keys()]).toEqual(['largest', 'small', 'zero']);
    expect((halves.get('largest')!.data as FileRef).offset).toBe(0);
    expect(statSync(path).size).toBe(256 + 256 + 200);
  });

  it('takes weights from any offset of the model file', () => {
    const v = Float32Array.from(values(64, 2));
    const file = join(folder, 'model');
    writeFileSync(file, Buffer.concat([Buffer.from('odd'), Buffer.from(v.buffer)]));
    const data = { path: file, offset: 3, length: 256 };
    const { halves } = writeHalfWeights([{ name: 'w', dtype: DType.float, dims: [8, 8], data }], path);
    const written = new Uint16Array(new Uint8Array(readFileSync(path)).buffer);
    expect([...written]).toEqual(Array.from(v, toHalf));
    expect(halves.get('w')!.data).toEqual({ path, offset: 0, length: 128 });
  });
});
