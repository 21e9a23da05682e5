import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { selectAdapters } from '../../../src/adapters/targets/select';
import type { AdapterSpec } from '../../../src/experiment/methods';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { summarize } from '../../../src/graph/summary';
import { readFileRef, readTensorBytes } from '../../../src/graph/values';
import { chooseModules } from '../../../src/quantize/quantized-layers';
import { Folders, safetensors } from './folders';

const HUB = join(import.meta.dirname, '../../fixtures/hf');
const folders = new Folders();
afterAll(() => folders.remove());

const load = (folder: string) => loadModelFrom(modelSource(folder));
const configOf = (name: string) =>
  JSON.parse(readFileSync(join(HUB, name, 'config.json'), 'utf8')) as Record<string, unknown>;

interface Values {
  dims: number[];
  data: Float32Array;
}

const valuesIn = (name: string): Map<string, Values> =>
  new Map(
    Array.from(readHeader(join(HUB, name, 'model.safetensors')), ([key, { dims, data }]) => {
      const bytes = Uint8Array.from(readFileRef(data));
      return [key, { dims, data: new Float32Array(bytes.buffer) }];
    }),
  );

const joined = (parts: readonly Values[], dims: number[]): Values => ({
  dims,
  data: Float32Array.from(parts.flatMap((p) => [...p.data])),
});

/** The weights of a published folder as a model of transformers 5 has them in memory. */
function stacked(name: string, module: string, [gate, up, down]: readonly string[]): Map<string, Values> {
  const weights = valuesIn(name);
  const experts = Number(configOf(name).num_local_experts);
  for (const layer of [0, 1]) {
    const at = `model.layers.${layer}.`;
    const take = (key: string): Values => {
      const found = weights.get(at + key)!;
      weights.delete(at + key);
      return found;
    };
    const own = Array.from({ length: experts }, (_, e) =>
      [gate, up, down].map((part) => take(`${module}.experts.${e}.${part}.weight`)),
    );
    const [inner, hidden] = own[0][0].dims;
    weights.set(`${at}mlp.gate.weight`, take(`${module}.gate.weight`));
    weights.set(
      `${at}mlp.experts.gate_up_proj`,
      joined(
        own.flatMap(([g, u]) => [g, u]),
        [experts, 2 * inner, hidden],
      ),
    );
    weights.set(
      `${at}mlp.experts.down_proj`,
      joined(
        own.map(([, , d]) => d),
        [experts, hidden, inner],
      ),
    );
  }
  return weights;
}

const file = (weights: Map<string, Values>, dtype: 'F32' | 'BF16') =>
  safetensors(
    Object.fromEntries(
      Array.from(weights, ([name, { dims, data }]) => [name, { dims, dtype, values: [...data] }]),
    ),
  );

describe('a folder with all experts in one tensor is the model of its published folder', () => {
  it.each([
    ['mixtral', 'block_sparse_moe', ['w1', 'w3', 'w2']],
    ['qwen3-moe', 'mlp', ['gate_proj', 'up_proj', 'down_proj']],
  ])('%s', (name, module, names) => {
    const weights = stacked(name, module, names);
    const folder = folders.make({ 'config.json': configOf(name), 'model.safetensors': file(weights, 'F32') });
    const [published, found] = [load(join(HUB, name)), load(folder)].map((m) => m.graph.initializers);
    expect([...found.keys()].sort()).toEqual([...published.keys()].sort());
    for (const [key, tensor] of published)
      expect([key, Buffer.compare(readTensorBytes(found.get(key)!), readTensorBytes(tensor))]).toEqual([
        key,
        0,
      ]);
  });

  it('also in bfloat16, each matrix widened from its place', () => {
    const weights = stacked('mixtral', 'block_sparse_moe', ['w1', 'w3', 'w2']);
    const folder = folders.make({
      'config.json': configOf('mixtral'),
      'model.safetensors': file(weights, 'BF16'),
    });
    const cache = folders.make({});
    const { graph } = loadModelFrom(modelSource(folder), 'float32', cache);
    const key = 'layers.1.block_sparse_moe.experts.2.w3.weight';
    const wanted = valuesIn('mixtral').get(`model.${key}`)!.data;
    const bytes = Uint8Array.from(readTensorBytes(graph.initializers.get(key)!));
    new Float32Array(bytes.buffer).forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 2));
  });

  it('is refused where a tensor has another number of experts', () => {
    const weights = stacked('mixtral', 'block_sparse_moe', ['w1', 'w3', 'w2']);
    const config = { ...configOf('mixtral'), num_local_experts: 3 };
    const folder = folders.make({ 'config.json': config, 'model.safetensors': file(weights, 'F32') });
    expect(() => load(folder)).toThrow(/mlp\.gate\.weight has the shape \[4, 24\].*\[3, 24\]/);
  });
});

describe('targets in a mixture of experts', () => {
  const { graph } = load(join(HUB, 'mixtral'));
  const layers = findLinearLayers(graph);
  const select = (targetModules: string | string[]) =>
    selectAdapters(
      graph,
      layers,
      { method: 'lora', rank: 2, alpha: 2, targetModules } as AdapterSpec,
      'logits',
    );

  it('"all-linear" leaves routers and experts out', () => {
    const { adapters, leftOut } = select('all-linear');
    expect(adapters.map((a) => a.layer.path.split('.').at(-2))).toEqual(new Array(8).fill('self_attn'));
    expect(leftOut.filter((l) => l.why === 'routed')).toHaveLength(2 * (1 + 4 * 3));
  });

  it('a name gives each expert a pair of matrices', () => {
    const { adapters } = select(['w2']);
    expect(adapters.map((a) => a.layer.path)).toEqual(
      [0, 1].flatMap((l) => [0, 1, 2, 3].map((e) => `layers.${l}.block_sparse_moe.experts.${e}.w2`)),
    );
    expect(adapters[0].tensors.map((t) => t.dims)).toEqual([
      [2, 20],
      [24, 2],
    ]);
  });

  it('experts are quantized, routers are not', () => {
    const paths = chooseModules(graph, [], 32).layers.map((l) => l.path);
    expect(paths).toContain('layers.0.block_sparse_moe.experts.3.w1');
    expect(paths).not.toContain('layers.0.block_sparse_moe.gate');
  });

  it('the parameters of a token are those of its experts and of everything else', () => {
    const { parameters, activeParameters } = summarize(load(join(HUB, 'gpt-oss')));
    const expert = 24 * 32 + 32 + 16 * 24 + 24;
    expect(parameters - activeParameters!).toBe(2 * (4 - 2) * expert);
    expect(summarize(load(join(HUB, 'llama'))).activeParameters).toBeUndefined();
  });
});

describe('the loss of routers', () => {
  const outputs = (name: string, more: object) => {
    const weights = file(valuesIn(name), 'F32');
    const folder = folders.make({
      'config.json': { ...configOf(name), ...more },
      'model.safetensors': weights,
    });
    const model = load(folder);
    return { names: model.graph.outputs.map((o) => o.name), cached: model.withCache!().graph.outputs.length };
  };

  it('is an output where config.json asks for it, without a cache', () => {
    const plain = outputs('mixtral', {});
    expect(plain.names).not.toContain('aux_loss');
    const asked = outputs('mixtral', { output_router_logits: true });
    expect(asked.names).toContain('aux_loss');
    expect(asked.cached).toBe(plain.cached);
  });

  it('is none of a classifier’s', () => {
    const more = { output_router_logits: true, architectures: ['MixtralForTokenClassification'] };
    expect(outputs('mixtral', more).names).not.toContain('aux_loss');
  });
});

describe('settings that would change the result are refused', () => {
  it.each<[string, object, RegExp]>([
    ['mixtral', { router_jitter_noise: 0.1 }, /router_jitter_noise is 0\.1/],
    ['mixtral', { num_experts_per_tok: 5 }, /num_experts_per_tok is 5, but there are 4 experts/],
    ['mixtral', { num_experts: 5 }, /gate\.weight has the shape \[4, 24\].*\[5, 24\]/],
    ['mixtral', { layer_types: ['sliding_attention', 'full_attention'] }, /layer_types/],
    ['qwen3-moe', { layer_types: ['full_attention', 'sliding_attention'] }, /layer_types/],
    ['qwen3-moe', { mlp_only_layers: [0] }, /mlp\.gate_proj\.weight/],
    ['qwen3-moe', { mlp_only_layers: 'x' }, /mlp_only_layers/],
    ['qwen3-moe', { decoder_sparse_step: 2 }, /layers\.0\.mlp\.gate_proj\.weight/],
    ['gpt-oss', { swiglu_limit: 5 }, /swiglu_limit is 5/],
    ['gpt-oss', { sliding_window: null }, /sliding_window/],
    ['gpt-oss', { attention_bias: 'x' }, /attention_bias/],
  ])('%s %o', (name, more, message) => {
    const weights = file(valuesIn(name), 'F32');
    const folder = folders.make({
      'config.json': { ...configOf(name), ...more },
      'model.safetensors': weights,
    });
    expect(() => load(folder)).toThrow(message);
  });
});
