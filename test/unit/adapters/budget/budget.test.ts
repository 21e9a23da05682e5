import { parameterCount } from '../../../../src/adapters/stored-tensors';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  budgetOf,
  budgetSentence,
  type BudgetModule,
  adapterFileSize,
  safetensorsSize,
} from '../../../../src/adapters/budget/budget';
import { endingsOf } from '../../../../src/adapters/targets/endings';
import { methodOf } from '../../../../src/adapters/methods/registry';
import { selectAdapters } from '../../../../src/adapters/targets/select';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { loadModel } from '../../../../src/graph/file/load';
import { elementCount, type Graph } from '../../../../src/graph/model';
import { prepareModel } from '../../../../src/graph/prepare';
import { encodeSafetensors, readSafetensors } from '../../../../src/graph/file/safetensors';
import { summarize } from '../../../../src/graph/summary';
import { AuroraError } from '../../../../src/base/errors';
import type { Experiment } from '../../../../src/experiment/experiment';
import {
  isRanked,
  type AdapterSpec,
  type AuroraSpec,
  type LoraSpec,
} from '../../../../src/experiment/methods';
import { writePeftAdapter } from '../../../../src/peft/peft-adapter';
import { auroraSpec, loraSpec } from '../../specs';
import { DEFAULT_TASK } from '../../../../src/experiment/tasks/registry';
import { initialAdapters } from '../../../../src/training/task/initialize';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../../../src/tasks/head';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('budget');

const [aurora, lora] = [auroraSpec, loraSpec];
const options = { loraRank: 8, tokens: 128 };
const stack = (width = 768): BudgetModule[] =>
  Array.from({ length: 12 }, (_, i) =>
    ['query', 'key', 'value'].map((name) => ({
      path: `encoder.layer.${i}.attention.self.${name}`,
      inFeatures: width,
      outFeatures: width,
      calls: 1,
    })),
  ).flat();
const errorOf = (action: () => unknown): AuroraError => {
  try {
    action();
  } catch (e) {
    if (e instanceof AuroraError) return e;
    throw e;
  }
  throw new Error('Nothing was thrown.');
};

/** The adapters that the trainer chooses on the same model, from its graph. */
function trainerView(name: string, spec: AdapterSpec) {
  const model = loadModel(resolve('test/fixtures/reference', name));
  const { graph } = prepareModel(model);
  return {
    summary: summarize(model),
    adapters: selectAdapters(graph, findLinearLayers(graph), spec).adapters,
  };
}

describe("the calculator's count matches the trainer and the adapter file", () => {
  it.each<[string, string, AuroraSpec | LoraSpec]>([
    ['bert.onnx', 'AuroRA', aurora()],
    [
      'bert.onnx',
      'AuroRA without F, by a regular expression',
      aurora({ fixed: false, targetModules: '.*(query|out)' }),
    ],
    [
      'bert.onnx',
      'LoRA with a rank pattern',
      lora({ rank: 4, rankPattern: { value: 3, 'layer.0.query': 1 } }),
    ],
    ['bert.onnx', 'LoRA with a bias', lora({ rank: 4, loraBias: true })],
    [
      'llama.onnx',
      'all linear layers',
      aurora({ targetModules: 'all-linear', rank: 3, gridSize: 7, splineOrder: 2 }),
    ],
    [
      'vit.onnx',
      'one layer, with an exclusion',
      lora({ targetModules: 'all-linear', layersToTransform: [1], excludeModules: ['query'] }),
    ],
  ])('%s: %s', (file, _, spec) => {
    const { summary, adapters } = trainerView(file, spec);
    const budget = budgetOf(summary.layers, spec, { ...options, modelParameters: summary.parameters });
    expect(adapters.length).toBeGreaterThan(0);
    expect(budget.modules.map((m) => [m.path, m.rank])).toEqual(
      adapters.map((a) => [a.layer.path, isRanked(a.spec) ? a.spec.rank : undefined]),
    );
    expect(budget.adapter.parameters).toBe(parameterCount(adapters));
    expect(budget.modules.reduce((n, m) => n + m.parameters, 0)).toBe(budget.adapter.parameters);

    const experiment = {
      adapter: spec,
      model: { path: file },
      task: { type: DEFAULT_TASK, head: 'none' },
    } as Experiment;
    const adapted = { spec: experiment, source: { kind: 'onnx' as const, file }, adapters };
    writePeftAdapter(folder, adapted, initialAdapters(adapters, 1), { labels: ['a', 'b'] }, 'dynamic', 48);
    const path = join(folder, 'adapter_model.safetensors');
    const inFile = [...readSafetensors(path).tensors.values()].reduce((n, t) => n + t.data.length, 0);
    expect(budget.adapter.parameters).toBe(inFile);
    expect(budget.adapter.file.total).toBe(statSync(path).size);
    expect(budget.adapter.file.data).toBe(4 * inFile);
  });

  it("includes a task's head, to the byte, when its shape is known", () => {
    const { adapters } = trainerView('bert.onnx', aurora());
    const values = initialAdapters(adapters, 1);
    values.set(HEAD_WEIGHT, new Float32Array(3 * 32)).set(HEAD_BIAS, new Float32Array(3));
    const experiment = {
      adapter: aurora(),
      model: { path: '' },
      task: { type: DEFAULT_TASK, head: 'linear' },
    } as Experiment;
    const adapted = { spec: experiment, source: { kind: 'onnx' as const, file: '' }, adapters };
    writePeftAdapter(folder, adapted, values, { labels: ['a', 'b', 'c'] }, 'dynamic', 1_000_000);
    const head: [string, number[]][] = [
      ['base_model.model.classifier.weight', [3, 32]],
      ['base_model.model.classifier.bias', [3]],
    ];
    expect(adapterFileSize(adapters, head).total).toBe(
      statSync(join(folder, 'adapter_model.safetensors')).size,
    );
  });

  it('predicts the size of a safetensors file for any tensor names', () => {
    for (const names of [
      [],
      ['a'],
      ['ß', 'z.é', 'a"b'],
      Array.from({ length: 40 }, (_, i) => `layer.${i}`),
    ]) {
      const tensors = names.map((n, i): [string, number[]] => [n, [i + 1, 3]]);
      const real = encodeSafetensors(
        new Map(tensors.map(([n, dims]) => [n, { dims, data: new Float32Array(elementCount(dims)) }])),
        { format: 'pt' },
      );
      expect(safetensorsSize(tensors, { format: 'pt' }).total).toBe(real.length);
    }
  });
});

describe('the comparison with LoRA', () => {
  it('uses the same modules and finds the rank with equal parameters', () => {
    const { adapter, lora: beside, equal } = budgetOf(stack(), aurora(), options);
    expect(adapter.parameters).toBe(74_208);
    expect([beside.rank, beside.parameters]).toEqual([8, 294_912]);
    // 3092 per module; LoRA takes 1536 per rank.
    expect(equal.exactRank).toBeCloseTo(3092 / 1536, 12);
    expect([equal.rank, equal.parameters]).toEqual([2, 73_728]);
  });

  it("gives LoRA's own rank as the equal one for a LoRA", () => {
    const { equal, adapter } = budgetOf(stack(), lora({ rank: 5 }), options);
    expect([equal.rank, equal.exactRank, equal.parameters]).toEqual([5, 5, adapter.parameters]);
  });

  it("never suggests a rank above a layer's limit", () => {
    const tiny = stack(2);
    const { equal } = budgetOf(tiny, aurora(), { loraRank: 1, tokens: 1 });
    expect(equal.exactRank).toBeGreaterThan(2);
    expect(equal.rank).toBe(2);
  });
});

describe('the cost of training', () => {
  it('counts four float32 numbers of memory for each parameter', () => {
    const { memory } = budgetOf(stack(), aurora(), options).adapter;
    expect(memory).toEqual({ parameters: 296_832, gradients: 296_832, moments: 593_664, total: 1_187_328 });
  });

  it('counts a module once for each call', () => {
    const once = budgetOf(stack(), aurora(), options);
    const twice = budgetOf(
      stack().map((m) => ({ ...m, calls: 2 })),
      aurora(),
      options,
    );
    expect(once.adapter.flops).toEqual({ forward: 148_416, backward: 296_832, step: 445_248 * 128 });
    expect(twice.adapter.flops.forward).toBe(2 * once.adapter.flops.forward);
    expect(once.modelForwardFlops).toBe(36 * 2 * 768 * 768);
    expect(twice.adapter.parameters).toBe(once.adapter.parameters);
    expect(once.adapter.nonlinear).toEqual({ bases: 24 * 2 * 8, activations: 24 * 4 });
  });

  it.each([aurora({ rank: 3 }), aurora({ fixed: false }), lora({ rank: 3 })])(
    'counts each parameter once in the products of the nodes that run ($method)',
    (spec) => {
      const layer = { path: 'query', inFeatures: 12, outFeatures: 20, calls: 1 };
      const graph: Graph = { name: '', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
      const on = { layer, spec, widest: layer };
      const method = methodOf(spec);
      const tensors = method.tensors(on);
      const names = Object.fromEntries(tensors.map((t) => [t.name, t.name]));
      const call = { x: 'x', product: () => '', weight: () => '', weightTimes: () => '', alpha: 1 };
      method.delta!(new GraphBuilder(graph, ''), call, names, on, DType.float, 'dynamic');
      const maker = new Map(graph.nodes.map((n) => [n.outputs[0], n]));
      /** The inputs that a tensor is computed from. */
      const sources = (name: string): string[] => maker.get(name)?.inputs.flatMap(sources) ?? [name];
      // Products that are computed for each token; a product of parameters alone is computed once in a step.
      const products = graph.nodes
        .filter((n) => ['MatMul', 'Gemm'].includes(n.opType) && sources(n.inputs[0]).includes('x'))
        .flatMap((n) => [...new Set(sources(n.inputs[1]))].filter((name) => name in names));
      expect(products.sort()).toEqual(tensors.map((t) => t.name).sort());
      const flops = tensors.reduce((n, t) => n + 2 * elementCount(t.dims), 0);
      expect(budgetOf([layer], spec, { loraRank: 1, tokens: 1 }).adapter.flops.forward).toBe(flops);
    },
  );
});

describe('budget curves', () => {
  it("pass through each method's budget at its rank", () => {
    const budget = budgetOf(stack(), aurora(), options);
    const at = (id: string, rank: number) =>
      budget.curves.find((c) => c.id === id)!.points.find((p) => p.rank === rank)?.parameters;
    expect(at('aurora', 2)).toBe(budget.adapter.parameters);
    expect(at('lora', 8)).toBe(budget.lora.parameters);
    expect(at('dora', 8)).toBe(294_912 + 24 * 768);
    expect(at('moslora', 8)).toBe(294_912 + 24 * 64);
    expect(at('vera', 8)).toBe(24 * (768 + 8));
  });

  it('count the bias of a LoRA that has one', () => {
    const { curves, adapter, lora: plain, formula } = budgetOf(stack(), lora({ loraBias: true }), options);
    const { points, formula: ofCurve } = curves.find((c) => c.id === 'lora')!;
    expect(adapter.parameters).toBe(plain.parameters + 24 * 768);
    expect(points.find((p) => p.rank === 8)?.parameters).toBe(adapter.parameters);
    expect([formula, ofCurve]).toEqual(['r(in + out) + out', 'r(in + out) + out']);
    expect(adapter.flops.forward).toBe(plain.flops.forward + 24 * 768);
  });

  it('count only what is trained: not the start that PiSSA subtracts', () => {
    const { curves, adapter } = budgetOf(stack(), lora({ initialization: 'pissa' }), options);
    const { points } = curves.find((c) => c.id === 'lora')!;
    expect(points.find((p) => p.rank === 8)?.parameters).toBe(adapter.parameters);
  });

  it('end at the highest rank that the layers allow and have few points', () => {
    const ends = (spec: AuroraSpec | LoraSpec, width: number) => {
      const { points } = budgetOf(stack(width), spec, { ...options, loraRank: 4 }).curves[0];
      return [points[0].rank, points.at(-1)!.rank, points.length <= 66];
    };
    expect(ends(aurora(), 12)).toEqual([1, 12, true]);
    expect(ends(aurora({ rank: 200 }), 768)).toEqual([1, 512, true]);
  });
});

describe('mistakes in the settings', () => {
  it('give an error that suggests the nearest names', () => {
    const e = errorOf(() => budgetOf(stack(), aurora({ targetModules: ['qeury'] }), options));
    expect([e.kind, e.message]).toEqual(['targets', expect.stringContaining('self.query')]);
    expect(errorOf(() => budgetOf(stack(), aurora({ rank: 769 }), options)).kind).toBe('rank');
    expect(errorOf(() => budgetOf(stack(), aurora(), { ...options, loraRank: 769 })).message).toContain(
      '768',
    );
    expect(errorOf(() => budgetOf(stack(), aurora({ targetModules: '(' }), options)).kind).toBe('targets');
  });

  it('give a warning beside the numbers when only some entries match', () => {
    const { warnings, modules } = budgetOf(stack(), aurora({ targetModules: ['query', 'valeu'] }), options);
    expect(modules.length).toBe(12);
    expect(warnings).toEqual([expect.stringContaining('"valeu" matched no module')]);
  });
});

describe('the CodeLens sentence', () => {
  it.each<[string, AdapterSpec]>([
    ['74,208 trainable, 25% of LoRA r=8', aurora()],
    ['37,080 trainable, 13% of LoRA r=8', aurora({ rank: 1 })],
    ['294,912 trainable in 24 modules', lora()],
    ['no adapter, only the head is trained', { method: 'none' }],
    ['294,912 trainable in 24 modules, and modulesToSave', lora({ modulesToSave: ['classifier'] })],
    [
      '2 rows of the embedding are trained',
      { method: 'trainable-tokens', tokenIndices: [5, 7], targetModules: 'all-linear' },
    ],
  ])('%s', (sentence, spec) => expect(budgetSentence(stack(), spec)).toBe(sentence));

  it('throws when no module matches', () => {
    expect(errorOf(() => budgetSentence(stack(), aurora({ targetModules: ['q_proj'] }))).kind).toBe(
      'targets',
    );
  });
});

describe('name endings', () => {
  const paths = (names: string[]) => names.map((path) => ({ path, inFeatures: 4, outFeatures: 8 }));

  it('are counted with the rule that chooses modules', () => {
    const found = endingsOf(
      paths([
        'layer.0.attention.output.dense',
        'layer.0.intermediate.dense',
        'layer.0.output.dense',
        'layer.0.query',
      ]),
    );
    expect(found.map((e) => [e.name, e.modules])).toEqual([
      ['dense', 3],
      ['output.dense', 2],
      ['intermediate.dense', 1],
      ['query', 1],
    ]);
    expect(found[0].shapes).toEqual(['8 × 4']);
  });

  it('include the parent of a numeric index', () => {
    expect(endingsOf(paths(['b.0.attn1.to_out.0', 'b.0.attn2.to_out.0'])).map((e) => e.name)).toEqual([
      'to_out.0',
      'attn1.to_out.0',
      'attn2.to_out.0',
    ]);
  });
});
