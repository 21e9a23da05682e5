import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { DType } from '../../../src/graph/dtype';
import { difference, host, runModel } from '../graph/onnx-models';
import { bertConfig, bertTensors, Folders, safetensors, TINY, type Stored } from './folders';
import { LLAMA, llamaTensors, values } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

type Tensors = Record<string, Stored>;

const IDS = [5, 9, 2, 7, 3, 1, 4, 8, 1, 1];
const MASK = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0];

/** A model's answers to two rows of five tokens, of which the last two are padding (id 1). */
function answers(config: Record<string, unknown>, tensors: Tensors, ids = IDS) {
  const model = loadModelFrom(
    modelSource(folders.make({ 'config.json': config, 'model.safetensors': safetensors(tensors) })),
  );
  const feed = (values: number[]) => host([2, 5], values, DType.int64);
  return runModel(model, { input_ids: feed(ids), attention_mask: feed(MASK) });
}

describe('RoBERTa', () => {
  it('counts positions after the padding id, without padding tokens', async () => {
    const { positions, hidden } = TINY;
    const table = values(positions * hidden, 1);
    const name = 'embeddings.position_embeddings.weight';
    const own = { ...bertTensors('F32', 'roberta.') };
    own[`roberta.${name}`] = { dims: [positions, hidden], values: table };
    const roberta = await answers(bertConfig({ model_type: 'roberta' }), own);
    // Token 1 in the middle of the first row is padding to RoBERTa, whatever the mask says.
    const counted = [2, 3, 4, 5, 6, 1, 2, 3, 1, 1].map((place) =>
      table.slice(place * hidden, (place + 1) * hidden),
    );
    // BERT with the same rows of the table, in the same places of each row of tokens.
    for (const row of [0, 1]) {
      const rows = counted.slice(row * 5, row * 5 + 5).flat();
      const bert = { ...bertTensors() };
      bert[`bert.${name}`] = {
        dims: [positions, hidden],
        values: [...rows, ...Array<number>(2 * hidden).fill(0)],
      };
      const { last_hidden_state: all } = await answers(bertConfig(), bert);
      const part = (data: ArrayLike<number | bigint>) =>
        Array.from(data, Number).slice(row * 40, row * 40 + 40);
      const [got, want] = [part(roberta.last_hidden_state.data), part(all.data)];
      got.forEach((v, i) => expect(v).toBeCloseTo(want[i], 5));
    }
  });
});

describe('Llama', () => {
  it('uses each key/value head for as many queries in a row', async () => {
    const grouped = llamaTensors();
    const repeated: Tensors = {};
    for (const name of ['k_proj', 'v_proj']) {
      const key = `model.layers.0.self_attn.${name}.weight`;
      const [a, b] = [grouped[key].values!.slice(0, 16), grouped[key].values!.slice(16)];
      repeated[key] = { dims: [8, 8], values: [...a, ...a, ...b, ...b] };
    }
    const own = await answers({ ...LLAMA, num_key_value_heads: 4 }, { ...grouped, ...repeated });
    expect(difference(await answers(LLAMA, grouped), own, 1e-5, 1e-6)).toBeUndefined();
  });

  it('has the embedding as its head if they are tied, unless the file has another one', async () => {
    const { 'lm_head.weight': own, ...rest } = llamaTensors();
    const embedding = rest['model.embed_tokens.weight'];
    const tied = { ...LLAMA, tie_word_embeddings: true };
    const wanted = await answers(LLAMA, { ...rest, 'lm_head.weight': embedding });
    expect(difference(await answers(tied, rest), wanted)).toBeUndefined();
    expect(difference(await answers(tied, { ...rest, 'lm_head.weight': embedding }), wanted)).toBeUndefined();
    const both = { ...rest, 'lm_head.weight': own };
    expect(difference(await answers(tied, both), wanted)).toBeDefined();
    expect(difference(await answers(tied, both), await answers(LLAMA, both))).toBeUndefined();
  });

  it('without a head gives hidden states alone, unless its class has one', () => {
    const rest = llamaTensors();
    delete rest['lm_head.weight'];
    const load = (name: string) =>
      loadModelFrom(
        modelSource(
          folders.make({
            'config.json': { ...LLAMA, architectures: [name] },
            'model.safetensors': safetensors(rest),
          }),
        ),
      );
    const { outputs } = load('LlamaForSequenceClassification').graph;
    expect(outputs.map((o) => o.name)).toEqual(['last_hidden_state']);
    expect(() => load('LlamaForCausalLM')).toThrow(/the weights have no lm_head\.weight/);
  });

  it('is not influenced by later tokens', async () => {
    const before = await answers(LLAMA, llamaTensors());
    const after = await answers(LLAMA, llamaTensors(), [5, 9, 2, 6, 6, 1, 4, 8, 1, 1]);
    const first = (a: typeof before) => Array.from(a.logits.data as Float32Array).slice(0, 33);
    expect(first(after)).toEqual(first(before));
  });

  it('reads RoPE settings from either place, and refuses kinds that it does not know', async () => {
    const old = { ...LLAMA, rope_theta: 50, rope_scaling: { type: 'linear', factor: 2 } };
    const rest = { ...LLAMA, rope_theta: undefined };
    const now = { ...rest, rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 50 } };
    expect(
      difference(await answers(old, llamaTensors()), await answers(now, llamaTensors())),
    ).toBeUndefined();
    expect(
      difference(await answers(LLAMA, llamaTensors()), await answers(now, llamaTensors())),
    ).toBeDefined();
    const other = { ...LLAMA, rope_scaling: { rope_type: 'mrope' } };
    expect(() => answers(other, llamaTensors())).toThrow(/rope_scaling\.rope_type is "mrope"/);
  });
});
