import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { frozenCount, parameterCount } from '../../../../src/adapters/stored-tensors';
import { selectAdapters } from '../../../../src/adapters/targets/select';
import { adapterDefaults } from '../../../../src/experiment/adapter-defaults';
import type { TrainedSpec } from '../../../../src/experiment/methods';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import type { Model } from '../../../../src/graph/model';
import { prepareModel, upgraded } from '../../../../src/graph/prepare';
import { quantizedOutline } from '../../../../src/quantize/quantized-graph';
import { stepCost } from '../../../../src/checks/cost/step-cost';
import { bertConfig, bertTensors, Folders, safetensors } from '../../architectures/folders';
import { RATES } from '../../../estimate';

const model = (name: string) =>
  prepareModel(loadModelFrom(modelSource(join(import.meta.dirname, '../../../fixtures', name)), 'structure'));
const SMALL = { method: 'aurora', batch: 4, length: 16 } as const;

describe('what a step takes', () => {
  it('grows with the batch, but not its program and weights', () => {
    const bert = model('hf/bert');
    const [small, large] = [4, 8].map((batch) => stepCost(bert, { ...SMALL, batch }, RATES));
    expect(large.memory!.activations / small.memory!.activations).toBeCloseTo(2, 1);
    expect(large.memory!.program).toBe(small.memory!.program);
    expect(large.time!.flops).toBeGreaterThan(1.9 * small.time!.flops);
    expect(large.time!.seconds).toBeGreaterThan(small.time!.seconds);
  });

  it('includes what an adapter stores without training it', () => {
    const bert = model('hf/bert');
    const own = { rank: 4, targetModules: ['query', 'value'] };
    const { memory } = stepCost(bert, { ...SMALL, method: 'randlora', ...own }, RATES);
    const spec = { ...adapterDefaults('randlora'), ...own } as unknown as TrainedSpec;
    const { adapters } = selectAdapters(bert.graph, findLinearLayers(bert.graph), spec, 'last_hidden_state');
    expect(frozenCount(adapters)).toBeGreaterThan(0);
    expect(memory!.trained).toBe(16 * parameterCount(adapters) + 4 * frozenCount(adapters));
  });

  it('is that of a new experiment on the model: its method, rank and sizes', () => {
    expect(stepCost(model('hf/bert'), SMALL, RATES)).toMatchObject({
      method: 'aurora',
      rank: 2,
      batch: 4,
      length: 16,
    });
    const { rank, length } = stepCost(model('hf/vit'), { ...SMALL, method: 'lora', rank: 8 }, RATES);
    expect([rank, length]).toEqual([8, undefined]);
  });

  it.each([
    'siglip-vision',
    'siglip2-cls',
    'dinov3-vit',
    'beit-cls',
    'data2vec-vision',
    'convnext-cls',
    'convnext-v2',
    'convnext-dino',
    'vit-mae',
  ])('is known for a model of images: %s', (name) => {
    const { problem, length, memory, time } = stepCost(model(`hf/${name}`), SMALL, RATES);
    expect([problem, length]).toEqual([undefined, undefined]);
    expect([memory!.activations > 0, time!.flops > 0]).toEqual([true, true]);
  });

  it('is known for a quantized model, whose weights have fewer bytes', () => {
    const bits = prepareModel(
      loadModelFrom(
        modelSource(join(import.meta.dirname, '../../../fixtures/quantized/bert-4bit.onnx')),
        'structure',
      ),
    );
    const { memory, time, problem } = stepCost(bits, { ...SMALL, method: 'lora' }, RATES);
    expect([problem, memory!.activations > 0, time!.flops > 0]).toEqual([undefined, true, true]);
  });

  it('counts weights of few bits, and products in int8 at their own speed', () => {
    const path = join(import.meta.dirname, '../../../fixtures/hf/bert-base');
    const plain = loadModelFrom(modelSource(path), 'structure');
    const quantized = (bits: 4 | 8) =>
      prepareModel(quantizedOutline(upgraded(plain), { bits, blockSize: 32, symmetric: true }));
    const columns = prepareModel(quantizedOutline(upgraded(plain), 'columns'));
    const cost = (of: Model, choice: Partial<Parameters<typeof stepCost>[1]> = {}, rates = RATES) =>
      stepCost(of, { ...SMALL, head: true, ...choice }, rates);
    const float32 = cost(prepareModel(plain));
    const [four, eight] = [cost(quantized(4)), cost(quantized(8))];
    const int8 = cost(columns, { quantize: 8, precision: 'int8' });
    for (const { problem } of [four, eight, int8]) expect(problem).toBeUndefined();
    expect(four.memory!.weights).toBeLessThan(eight.memory!.weights);
    expect(eight.memory!.weights).toBeLessThan(float32.memory!.weights);
    expect(int8).toMatchObject({ quantize: 8, precision: 'int8' });
    expect(int8.time!.flops).toBe(float32.time!.flops);
    // Only products in int8 take longer on such a machine.
    const slow = { ...RATES, int8Gflops: RATES.int8Gflops / 1000 };
    const longer = ({ precision }: { precision?: 'int8' }) =>
      cost(columns, { quantize: 8, ...(precision && { precision }) }, slow).time!.seconds;
    expect(longer({ precision: 'int8' })).toBeGreaterThan(2 * int8.time!.seconds);
    expect(longer({})).toBe(cost(columns, { quantize: 8 }).time!.seconds);
    // As many bytes again, transposed, for the backward pass of frozen layers.
    const oneCopy = cost(columns, { precision: 'int8' }).memory!.weights;
    expect(int8.memory!.weights).toBeGreaterThan(oneCopy);
  });

  it('counts the logits of a language model', () => {
    const { memory } = stepCost(model('hf/llama'), SMALL, RATES);
    expect(memory!.activations).toBeGreaterThan(0);
    expect(memory!.total).toBeGreaterThan(memory!.activations + memory!.weights);
  });

  it('is that of the output that a task reads: its logits, or hidden states for a new head', () => {
    const most = (head: boolean) =>
      stepCost(model('hf/llama'), { ...SMALL, head }, RATES).memory!.activations;
    expect(most(false)).toBeGreaterThan(most(true));
    const wrong = stepCost(model('hf/llama'), { ...SMALL, output: 'mystery' }, RATES);
    expect(wrong.problem).toMatch(/no output "mystery"/);
  });

  it('is small where only a head is trained', () => {
    const [head, lora] = (['none', 'lora'] as const).map((method) =>
      stepCost(model('hf/bert'), { ...SMALL, method, head: true }, RATES),
    );
    expect([head.method, head.problem]).toEqual(['none', undefined]);
    expect(head.memory!.activations).toBeLessThan(lora.memory!.activations);
    expect(head.time!.flops).toBeLessThan(lora.time!.flops / 1.5);
  });

  it('is its memory alone where the speed is unknown', () => {
    const cost = stepCost(model('hf/bert'), SMALL, undefined);
    expect([cost.memory !== undefined, cost.time]).toEqual([true, undefined]);
    expect(cost.problem).toMatch(/speed of this machine/);
  });

  it('names the operator whose result nothing says the size of', () => {
    const bert = model('hf/bert');
    const graph = { ...bert.graph, nodes: bert.graph.nodes.map((n) => ({ ...n })) };
    graph.nodes.find((n) => n.opType === 'Softmax')!.opType = 'Mystery';
    expect(stepCost({ ...bert, graph }, SMALL, RATES)).toMatchObject({
      problem: expect.stringMatching(/Mystery \(node ".*attention.*Softmax"\)/) as string,
    });
  });

  it('reads no weight: those of bfloat16 are not converted', () => {
    const folders = new Folders();
    try {
      const folder = folders.make({
        'config.json': bertConfig(),
        'model.safetensors': safetensors(bertTensors('BF16')),
      });
      const { memory } = stepCost(
        prepareModel(loadModelFrom(modelSource(folder), 'structure')),
        { ...SMALL, length: 4 },
        RATES,
      );
      expect(memory!.total).toBeGreaterThan(0);
    } finally {
      folders.remove();
    }
  });
});
