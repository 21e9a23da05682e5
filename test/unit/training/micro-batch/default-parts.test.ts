import { describe, expect, it } from 'vitest';
import type { Place } from '../../../../src/engine/place';
import { DType } from '../../../../src/graph/dtype';
import type { TensorInfo } from '../../../../src/graph/tensor-infos';
import { defaultTokens, type Purpose } from '../../../../src/training/micro-batch/default-parts';
import { MicroBatches } from '../../../../src/training/micro-batch/micro-batches';
import type { Task } from '../../../../src/training/task/task';

/** An adapted layer of this width in a model with as many other tensors of its shape. */
const taskOf = (shape: TensorInfo['shape'], tensors: number): Task =>
  ({
    adapters: [layerOf(Number(shape.at(-1)), Number(shape.at(-1)))],
    infos: new Map(Array.from({ length: tensors }, (_, i) => [`x${i}`, { dtype: DType.float, shape }])),
    spec: { training: {} },
    data: { train: { dataset: datasetOf(16, 128) } },
  }) as unknown as Task;

const layerOf = (inFeatures: number, outFeatures: number, plain = true) => ({
  layer: { calls: [{ input: 'x0' }], inFeatures, outFeatures, plain },
});

const datasetOf = (count: number, size: number) => ({
  examples: Array.from({ length: count }, () => ({ size })),
  truncatedCount: 0,
});

const STEP: Purpose = { pass: 'step' };
const TOKENS = ['batch', 'sequence', 384];
const CPU: Place = { engine: 'onnxruntime', device: 'cpu' };

describe('parts of a batch by default', () => {
  it('have 1,024 rows or more', () => {
    expect(defaultTokens(STEP, taskOf(TOKENS, 100), 16, 128)).toBe(8 * 128);
    expect(defaultTokens(STEP, taskOf(TOKENS, 100), 17, 128)).toBe(9 * 128);
    expect(defaultTokens(STEP, taskOf(TOKENS, 100), 15, 128)).toBe(Infinity);
    expect(defaultTokens(STEP, taskOf(TOKENS, 100), 64, 32)).toBe(32 * 32);
  });

  it('have fewer rows of a wide model, down to 512, except in evaluations and where weights are converted', () => {
    const tokens = (width: number, purpose: Purpose = STEP) =>
      defaultTokens(purpose, taskOf(['batch', 'sequence', width], 400), 64, 64);
    expect([128, 512, 768, 4096].map((width) => tokens(width))).toEqual([16, 13, 8, 8].map((n) => 64 * n));
    expect(tokens(768, { pass: 'evaluation' })).toBe(16 * 64);
    expect(tokens(768, { pass: 'step', precision: 'int8' })).toBe(16 * 64);
    expect(tokens(768, { pass: 'step', precision: 'float32' })).toBe(8 * 64);
    const quantized = {
      ...taskOf(['batch', 'sequence', 768], 100),
      adapters: [layerOf(768, 768, false)] as never,
    };
    expect(defaultTokens(STEP, quantized, 64, 64)).toBe(16 * 64);
  });

  it('have as many rows in layers that widen and narrow hidden states', () => {
    const ofLayer = (inFeatures: number, outFeatures: number) =>
      defaultTokens(
        STEP,
        { ...taskOf(TOKENS, 100), adapters: [layerOf(inFeatures, outFeatures)] as never },
        16,
        128,
      );
    expect([ofLayer(384, 1536), ofLayer(1536, 384)]).toEqual([8 * 128, 8 * 128]);
  });

  it('have many bytes of tensors', () => {
    expect(defaultTokens(STEP, taskOf(TOKENS, 60), 16, 128)).toBe(Infinity);
    // A few long texts, of which each is a part.
    expect(defaultTokens(STEP, taskOf(TOKENS, 200), 4, 2048)).toBe(2048);
  });

  it('count the rows of images, and of flattened tokens', () => {
    expect(defaultTokens(STEP, taskOf(['batch', 197, 384], 200), 16, 1)).toBe(6);
    expect(defaultTokens(STEP, taskOf(['14|33|65', 384], 100), 16, 128)).toBe(8 * 128);
  });

  it('are none if only a head is trained', () => {
    expect(defaultTokens(STEP, { ...taskOf(TOKENS, 100), adapters: [] }, 16, 128)).toBe(Infinity);
  });

  const partsOf = async (pass: 'step' | 'evaluation', place: Place, microBatchSize?: number) => {
    const task = { ...taskOf(TOKENS, 100), spec: { training: { microBatchSize } } } as unknown as Task;
    const micro = new MicroBatches(task, {} as never, place, () => {});
    const { dataset } = task.data.train;
    const all = Array.from({ length: 16 }, (_, i) => i);
    return micro.run(pass, dataset, all, (parts) =>
      Promise.resolve(parts.map(({ indices }) => indices.length)),
    );
  };

  it('are those of steps and evaluations on the CPU, unless the experiment chooses', async () => {
    expect(await partsOf('step', CPU)).toEqual([8, 8]);
    expect(await partsOf('step', CPU, 16)).toEqual([16]);
    expect(await partsOf('step', CPU, 4)).toEqual([4, 4, 4, 4]);
    expect(await partsOf('evaluation', CPU)).toEqual([8, 8]);
    expect(await partsOf('step', { engine: 'onnxruntime', device: 'webgpu' })).toEqual([16]);
    expect(await partsOf('step', { engine: 'tfjs', device: 'wasm' })).toEqual([16]);
  });
});
