import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { normal } from '../../../src/base/random';
import { DType } from '../../../src/graph/dtype';
import { difference, host, runModel } from '../graph/onnx-models';
import { DISTILBERT, distilbertTensors } from './distilbert';
import { bertConfig, bertTensors, Folders, safetensors, type Stored } from './folders';
import { LLAMA, llamaTensors, QWEN2_BIASES } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

const IDS = [5, 9, 2, 7, 3, 1, 4, 8, 1, 1];

/** A model's answers to two rows of five tokens, of which the last two are padding. */
function answers(config: Record<string, unknown>, tensors: Record<string, Stored>, ids = IDS) {
  const folder = folders.make({ 'config.json': config, 'model.safetensors': safetensors(tensors) });
  const feed = (values: number[]) => host([2, 5], values, DType.int64);
  const mask = feed([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  return runModel(loadModelFrom(modelSource(folder)), { input_ids: feed(ids), attention_mask: mask });
}

const same = (a: Awaited<ReturnType<typeof answers>>, b: typeof a) =>
  difference(a, b, 1e-5, 1e-6) === undefined;

describe('Mistral', () => {
  const mistral = (window: number | null, ids?: number[]) =>
    answers({ ...LLAMA, model_type: 'mistral', sliding_window: window }, llamaTensors(), ids);

  it('is Llama if its window is as long as the text, or null', async () => {
    const llama = await answers(LLAMA, llamaTensors());
    expect(same(llama, await mistral(5))).toBe(true);
    expect(same(llama, await mistral(null))).toBe(true);
    expect(same(llama, await mistral(4))).toBe(false);
  });

  it('attends to the current token alone if its window is 1', async () => {
    const rest = (a: Awaited<ReturnType<typeof answers>>) =>
      Array.from(a.logits.data as Float32Array).slice(11, 55);
    const [before, after] = [await mistral(1), await mistral(1, [6, ...IDS.slice(1)])];
    expect(rest(after)).toEqual(rest(before));
    expect(same(before, after)).toBe(false);
  });
});

describe('Qwen2', () => {
  const qwen2 = (more: Record<string, unknown>, tensors: Record<string, Stored> = QWEN2_BIASES) =>
    answers({ ...LLAMA, model_type: 'qwen2', ...more }, llamaTensors(2, tensors));

  it('is Llama with biases', async () => {
    const llama = await answers(LLAMA, llamaTensors());
    expect(same(llama, await qwen2({}))).toBe(true);
    const value = { 'model.layers.0.self_attn.v_proj.bias': { dims: [4], values: [1, 0, 0, 0] } };
    expect(same(llama, await qwen2({}, { ...QWEN2_BIASES, ...value }))).toBe(false);
  });

  it('has a window in the layers that say so', async () => {
    const llama = await answers(LLAMA, llamaTensors());
    const slides = { use_sliding_window: true, sliding_window: 1 };
    expect(same(llama, await qwen2({ ...slides, max_window_layers: 1 }))).toBe(true);
    expect(same(llama, await qwen2({ ...slides, max_window_layers: 0 }))).toBe(false);
    const full = { max_window_layers: 0, layer_types: ['full_attention'] };
    expect(same(llama, await qwen2({ ...slides, ...full }))).toBe(true);
    expect(same(llama, await qwen2({ sliding_window: 1, max_window_layers: 0 }))).toBe(true);
  });
});

it('DistilBERT is BERT without types of tokens', async () => {
  const bert: Record<string, Stored> = {};
  Object.entries(bertTensors()).forEach(([name, { dims }], k) => {
    const values = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => 0.3 * normal(5, k, i));
    bert[name] = { dims, values: name.includes('token_type') ? values.map(() => 0) : values };
  });
  const distilbert = distilbertTensors(bert);
  expect(same(await answers(bertConfig(), bert), await answers(DISTILBERT, distilbert))).toBe(true);
});

it("a size has the name that transformers' attribute_map gives it, which comes before the family's own", async () => {
  const { dim, n_heads, n_layers, ...rest } = DISTILBERT;
  const other = { hidden_size: dim, num_attention_heads: n_heads, num_hidden_layers: n_layers };
  const tensors = distilbertTensors();
  const own = await answers(DISTILBERT, tensors);
  expect(same(own, await answers({ ...rest, ...other }, tensors))).toBe(true);
  expect(same(own, await answers({ ...rest, ...other, n_heads: 4, dim: 3 }, tensors))).toBe(true);
  expect(same(own, await answers({ ...DISTILBERT, num_attention_heads: 4 }, tensors))).toBe(false);
});
