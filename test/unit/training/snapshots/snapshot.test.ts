import { describe, expect, it } from 'vitest';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import { DType } from '../../../../src/graph/dtype';
import type { TensorInfo } from '../../../../src/graph/tensor-infos';
import { NO_SAMPLE, SAMPLES_PER_BIN } from '../../../../src/protocol/activations';
import { LayerRecorder } from '../../../../src/training/snapshot-recorder';
import { SPEC } from '../../adapters/snapshots';

const layer = { path: 'query', calls: [{ input: 'x' }] };
const adapter = { layer, spec: SPEC, tensors: [] } as unknown as LayerAdapter;
const ids = { dtype: DType.int64, shape: ['batch', 'sequence'] };

describe('the snapshot of a layer', () => {
  /** 40 texts of 10 tokens. All z[0] fall into one bin; z[1] runs from -4 to 4. */
  const recorder = new LayerRecorder(adapter, 2, new Map());
  for (let text = 0; text < 40; text += 8) {
    const rows = Array.from({ length: 8 * 10 }, (_, i) => [0.01, -4 + (8 * (text * 10 + i)) / 399]);
    const examples = Array.from({ length: 8 }, (_, i) => text + i);
    recorder.add(
      { dtype: 1, dims: [8, 10, 2], data: Float32Array.from(rows.flat()) },
      examples,
      undefined,
      0,
    );
  }
  const seen = recorder.finish(new Map());

  it('counts every z once, and exactly those beyond the support', () => {
    expect(seen.tokens).toBe(400);
    for (const i of [0, 1]) {
      const own = seen.counts.subarray(i * (seen.bins + 2), (i + 1) * (seen.bins + 2));
      expect(own.reduce((a, b) => a + b, 0)).toBe(400);
    }
    const beyond = Array.from({ length: 400 }, (_, k) => -4 + (8 * k) / 399).filter((z) => Math.abs(z) > 2.2);
    expect(seen.outside).toEqual([0, beyond.length]);
    expect(seen.low![1]).toBe(-4);
    expect(seen.high![1]).toBe(4);
  });

  it('samples from all texts, not only the first', () => {
    const bin = seen.counts.indexOf(400);
    const places = seen.samples.subarray(bin * SAMPLES_PER_BIN * 2, (bin + 1) * SAMPLES_PER_BIN * 2);
    const texts = [...places].filter((_, k) => k % 2 === 0);
    expect(texts.every((e) => e < 40)).toBe(true);
    expect([...places].filter((_, k) => k % 2 === 1).every((token) => token < 10)).toBe(true);
    expect(new Set(texts).size).toBeGreaterThan(1);
    expect(Math.max(...texts)).toBeGreaterThan(8);
  });

  it.each([
    ['sequence before the batch', ['sequence', 'batch', 8]],
    ['batch before the sequence', ['batch', 'sequence', 8]],
  ])('leaves out padding, and names the token of each sample, with the %s', (_, shape) => {
    const infos = new Map<string, TensorInfo>([
      ['x', { dtype: DType.float, shape }],
      ['attention_mask', ids],
    ]);
    const own = new LayerRecorder(adapter, 2, infos);
    const real = [
      [1, 1, 1],
      [1, 0, 0],
    ];
    const first = shape[0] === 'sequence';
    const places = first
      ? [0, 1, 2].flatMap((token) => [0, 1].map((text) => [text, token] as const))
      : [0, 1].flatMap((text) => [0, 1, 2].map((token) => [text, token] as const));
    // Each token has a different value. That of padding is far outside, so that counting it would show.
    const values = places.flatMap(([text, token]) => (real[text]![token] ? [text + token / 4, 0] : [99, 99]));
    const dims = first ? [3, 2, 2] : [2, 3, 2];
    const mask = { dtype: DType.int64, dims: [2, 3], data: BigInt64Array.from(real.flat(), BigInt) };
    own.add({ dtype: DType.float, dims, data: Float32Array.from(values) }, [5, 7], mask, 0);
    const { tokens, high, counts, samples, bins } = own.finish(new Map());
    expect(tokens).toBe(4);
    expect(high).toEqual([1, 0]);
    const sampled = [...counts.subarray(0, bins + 2)].flatMap((count, bin) =>
      Array.from({ length: count }, (__, k) => {
        const at = (bin * SAMPLES_PER_BIN + k) * 2;
        return [samples[at], samples[at + 1]];
      }),
    );
    expect(sampled).toEqual([
      [5, 0],
      [5, 1],
      [5, 2],
      [7, 0],
    ]);
  });

  it('marks the places without a sample', () => {
    const empty = seen.counts.indexOf(0);
    expect(seen.samples[empty * SAMPLES_PER_BIN * 2]).toBe(NO_SAMPLE);
  });
});
