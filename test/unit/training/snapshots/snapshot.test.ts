import { describe, expect, it } from 'vitest';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import { NO_SAMPLE, SAMPLES_PER_BIN } from '../../../../src/protocol/activations';
import { LayerRecorder } from '../../../../src/training/snapshot-recorder';
import { SPEC } from '../../adapters/snapshots';

const adapter = { layer: { path: 'query' }, spec: SPEC, tensors: [] } as unknown as LayerAdapter;

describe('the snapshot of a layer', () => {
  /** 40 texts of 10 tokens. All z[0] fall into one bin; z[1] runs from -4 to 4. */
  const recorder = new LayerRecorder(adapter, 2);
  for (let text = 0; text < 40; text += 8) {
    const rows = Array.from({ length: 8 * 10 }, (_, i) => [0.01, -4 + (8 * (text * 10 + i)) / 399]);
    const examples = Array.from({ length: 8 }, (_, i) => text + i);
    recorder.add({ dtype: 1, dims: [8, 10, 2], data: Float32Array.from(rows.flat()) }, examples, undefined);
  }
  const layer = recorder.finish(new Map());

  it('counts every z once, and exactly those beyond the support', () => {
    expect(layer.tokens).toBe(400);
    for (const i of [0, 1]) {
      const own = layer.counts.subarray(i * (layer.bins + 2), (i + 1) * (layer.bins + 2));
      expect(own.reduce((a, b) => a + b, 0)).toBe(400);
    }
    const beyond = Array.from({ length: 400 }, (_, k) => -4 + (8 * k) / 399).filter((z) => Math.abs(z) > 2.2);
    expect(layer.outside).toEqual([0, beyond.length]);
    expect(layer.low![1]).toBe(-4);
    expect(layer.high![1]).toBe(4);
  });

  it('samples from all texts, not only the first', () => {
    const bin = layer.counts.indexOf(400);
    const ids = layer.samples.subarray(bin * SAMPLES_PER_BIN * 2, (bin + 1) * SAMPLES_PER_BIN * 2);
    const texts = [...ids].filter((_, k) => k % 2 === 0);
    expect(texts.every((e) => e < 40)).toBe(true);
    expect([...ids].filter((_, k) => k % 2 === 1).every((token) => token < 10)).toBe(true);
    expect(new Set(texts).size).toBeGreaterThan(1);
    expect(Math.max(...texts)).toBeGreaterThan(8);
  });

  it('marks the places without a sample', () => {
    const empty = layer.counts.indexOf(0);
    expect(layer.samples[empty * SAMPLES_PER_BIN * 2]).toBe(NO_SAMPLE);
  });
});
