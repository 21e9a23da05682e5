import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { headLabels } from '../../../src/graph/task-head';
import { host, runModel } from '../graph/onnx-models';
import { DISTILBERT, distilbertTensors } from './distilbert';
import {
  albertTensors,
  debertaTensors,
  MODERNBERT,
  modernbertTensors,
  xlmRobertaXlTensors,
} from './encoders';
import { bertConfig, bertTensors, Folders, safetensors, TINY, type Stored } from './folders';
import { LLAMA, llamaTensors, values } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

const SIZE = 8;
const LABELS = 3;
// The second text ends with padding (id 1).
const IDS = [5, 9, 2, 7, 3, 6, 4, 8, 1, 1];
const MASK = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0];

/** Random weights of a head, by name. */
const head = (dims: Record<string, number[]>): Record<string, Stored> =>
  Object.fromEntries(
    Object.entries(dims).map(([name, d], k) => [
      name,
      {
        dims: d,
        values: values(
          d.reduce((a, b) => a * b, 1),
          40 + k,
        ),
      },
    ]),
  );
const dense = (name: string, to = SIZE) => ({ [`${name}.weight`]: [to, SIZE], [`${name}.bias`]: [to] });

type Vector = readonly number[];
type Head = Record<string, Stored>;
const affine =
  (tensors: Head, name: string) =>
  (x: Vector): Vector => {
    const { dims, values } = tensors[`${name}.weight`];
    const bias = tensors[`${name}.bias`]?.values;
    return Array.from(
      { length: dims[0] },
      (_, o) => x.reduce((sum, v, i) => sum + v * values![o * dims[1] + i], 0) + (bias?.[o] ?? 0),
    );
  };
const erf = (x: number) => {
  // Its series; the arguments are small.
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) sum += (term *= -(x * x) / n) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * sum;
};
const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
function norm(tensors: Head, name: string, epsilon: number) {
  return (x: Vector): Vector => {
    const mean = x.reduce((a, b) => a + b) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    const [weight, bias] = ['weight', 'bias'].map((p) => tensors[`${name}.${p}`]?.values);
    return x.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * weight![i] + (bias?.[i] ?? 0));
  };
}

interface Case {
  architecture: string;
  config: Record<string, unknown>;
  tensors: Head;
  head: Record<string, number[]>;
  /** Logits from the states of a text's tokens. @param all of the folder's weights */
  wanted(states: Vector[], all: Head, last: number): Vector[];
}

const roberta = bertConfig({ model_type: 'roberta' });
const robertaTensors = bertTensors('F32', 'roberta.');
const EMBEDDING = 'embeddings.word_embeddings.weight';
/** A head over hidden states whose vocabulary is tied to the embedding. */
const vocabulary =
  (dense: string, layerNorm: string, bias: string, embedding: string, activation = gelu) =>
  (states: Vector[], all: Head): Vector[] =>
    states.map((x) =>
      affine(
        { 'd.weight': all[embedding], 'd.bias': all[bias] },
        'd',
      )(norm(all, layerNorm, 1e-12)(affine(all, dense)(x).map(activation))),
    );
/** ModernBERT's head on features. */
const prediction = (all: Head) => (x: Vector) =>
  norm(all, 'head.norm', 1e-5)(affine(all, 'head.dense')(x).map(gelu));
const layerNorm = (name: string) => ({ [`${name}.weight`]: [SIZE], [`${name}.bias`]: [SIZE] });
const twoLayers =
  (first: string, act: (x: number) => number, second: string) => (states: Vector[], all: Head) => [
    affine(all, second)(affine(all, first)(states[0]).map(act)),
  ];

const mean = (rows: Vector[]): Vector =>
  rows[0].map((_, i) => rows.reduce((sum, x) => sum + x[i], 0) / rows.length);

const eurobert = { ...LLAMA, model_type: 'eurobert' };
const eurobertTensors = () =>
  Object.fromEntries(Object.entries(llamaTensors()).filter(([name]) => !name.startsWith('lm_head.')));
const albert = { ...bertConfig({ model_type: 'albert' }), embedding_size: SIZE, hidden_act: 'gelu' };
const deberta = bertConfig({ model_type: 'deberta-v2', layer_norm_eps: 1e-12 });
const electra = bertConfig({ model_type: 'electra', embedding_size: SIZE });

const CASES: Case[] = [
  {
    architecture: 'AlbertForSequenceClassification',
    config: albert,
    tensors: albertTensors(),
    head: { ...dense('albert.pooler'), ...dense('classifier', LABELS) },
    wanted: twoLayers('albert.pooler', Math.tanh, 'classifier'),
  },
  {
    architecture: 'AlbertForMaskedLM',
    config: albert,
    tensors: albertTensors(),
    head: {
      ...dense('predictions.dense'),
      ...layerNorm('predictions.LayerNorm'),
      'predictions.bias': [TINY.vocabulary],
    },
    wanted: vocabulary(
      'predictions.dense',
      'predictions.LayerNorm',
      'predictions.bias',
      `albert.${EMBEDDING}`,
    ),
  },
  {
    architecture: 'ElectraForMaskedLM',
    config: electra,
    tensors: bertTensors('F32', 'electra.'),
    head: {
      ...dense('generator_predictions.dense'),
      ...layerNorm('generator_predictions.LayerNorm'),
      'generator_lm_head.bias': [TINY.vocabulary],
    },
    wanted: vocabulary(
      'generator_predictions.dense',
      'generator_predictions.LayerNorm',
      'generator_lm_head.bias',
      `electra.${EMBEDDING}`,
    ),
  },
  {
    architecture: 'DebertaV2ForSequenceClassification',
    config: { ...deberta, pooler_hidden_act: 'tanh' },
    tensors: debertaTensors(),
    head: { ...dense('pooler.dense'), ...dense('classifier', LABELS) },
    wanted: twoLayers('pooler.dense', Math.tanh, 'classifier'),
  },
  {
    architecture: 'DebertaV2ForMaskedLM',
    config: deberta,
    tensors: debertaTensors(),
    head: {
      ...dense('cls.predictions.transform.dense'),
      ...layerNorm('cls.predictions.transform.LayerNorm'),
      // Beside it in older files, or instead of it in newer ones.
      'cls.predictions.decoder.bias': [TINY.vocabulary],
    },
    wanted: vocabulary(
      'cls.predictions.transform.dense',
      'cls.predictions.transform.LayerNorm',
      'cls.predictions.decoder.bias',
      `deberta.${EMBEDDING}`,
    ),
  },
  {
    architecture: 'DebertaV2ForMaskedLM',
    config: { ...deberta, legacy: false },
    tensors: debertaTensors(),
    head: {
      ...dense('lm_predictions.lm_head.dense'),
      ...layerNorm('lm_predictions.lm_head.LayerNorm'),
      'lm_predictions.lm_head.bias': [TINY.vocabulary],
    },
    wanted: vocabulary(
      'lm_predictions.lm_head.dense',
      'lm_predictions.lm_head.LayerNorm',
      'lm_predictions.lm_head.bias',
      `deberta.${EMBEDDING}`,
    ),
  },
  {
    architecture: 'ModernBertForSequenceClassification',
    config: MODERNBERT,
    tensors: modernbertTensors(),
    head: { 'head.dense.weight': [SIZE, SIZE], 'head.norm.weight': [SIZE], ...dense('classifier', LABELS) },
    wanted: (states, all) => [affine(all, 'classifier')(prediction(all)(states[0]))],
  },
  {
    architecture: 'ModernBertForSequenceClassification',
    config: { ...MODERNBERT, classifier_pooling: 'mean', classifier_bias: true },
    tensors: modernbertTensors(),
    head: { ...dense('head.dense'), 'head.norm.weight': [SIZE], ...dense('classifier', LABELS) },
    wanted: (states, all, last) => {
      return [affine(all, 'classifier')(prediction(all)(mean(states.slice(0, last + 1))))];
    },
  },
  {
    architecture: 'ModernBertForTokenClassification',
    config: MODERNBERT,
    tensors: modernbertTensors(),
    head: { 'head.dense.weight': [SIZE, SIZE], 'head.norm.weight': [SIZE], ...dense('classifier', LABELS) },
    wanted: (states, all) => states.map((x) => affine(all, 'classifier')(prediction(all)(x))),
  },
  {
    architecture: 'ModernBertForMaskedLM',
    config: MODERNBERT,
    tensors: modernbertTensors(),
    head: {
      'head.dense.weight': [SIZE, SIZE],
      'head.norm.weight': [SIZE],
      'decoder.bias': [TINY.vocabulary],
    },
    wanted: (states, all) =>
      states.map((x) =>
        affine(
          { 'd.weight': all['model.embeddings.tok_embeddings.weight'], 'd.bias': all['decoder.bias'] },
          'd',
        )(prediction(all)(x)),
      ),
  },
  {
    architecture: 'BertForSequenceClassification',
    config: bertConfig(),
    tensors: bertTensors(),
    head: { ...dense('bert.pooler.dense'), ...dense('classifier', LABELS) },
    wanted: twoLayers('bert.pooler.dense', Math.tanh, 'classifier'),
  },
  {
    architecture: 'RobertaForSequenceClassification',
    config: roberta,
    tensors: robertaTensors,
    head: { ...dense('classifier.dense'), ...dense('classifier.out_proj', LABELS) },
    wanted: twoLayers('classifier.dense', Math.tanh, 'classifier.out_proj'),
  },
  {
    architecture: 'DistilBertForSequenceClassification',
    config: DISTILBERT,
    tensors: distilbertTensors(),
    head: { ...dense('pre_classifier'), ...dense('classifier', LABELS) },
    wanted: twoLayers('pre_classifier', (x) => Math.max(0, x), 'classifier'),
  },
  {
    architecture: 'Data2VecTextForSequenceClassification',
    config: { ...roberta, model_type: 'data2vec-text' },
    tensors: bertTensors('F32', 'data2vec_text.'),
    head: { ...dense('classifier.dense'), ...dense('classifier.out_proj', LABELS) },
    wanted: twoLayers('classifier.dense', Math.tanh, 'classifier.out_proj'),
  },
  {
    architecture: 'XLMRobertaXLForSequenceClassification',
    config: { ...roberta, model_type: 'xlm-roberta-xl' },
    tensors: xlmRobertaXlTensors(),
    head: { ...dense('classifier.dense'), ...dense('classifier.out_proj', LABELS) },
    wanted: twoLayers('classifier.dense', Math.tanh, 'classifier.out_proj'),
  },
  {
    architecture: 'XLMRobertaXLForMaskedLM',
    config: { ...roberta, model_type: 'xlm-roberta-xl', layer_norm_eps: 1e-12 },
    tensors: xlmRobertaXlTensors(),
    head: {
      ...dense('lm_head.dense'),
      ...layerNorm('lm_head.layer_norm'),
      'lm_head.bias': [TINY.vocabulary],
    },
    wanted: vocabulary('lm_head.dense', 'lm_head.layer_norm', 'lm_head.bias', `roberta.${EMBEDDING}`),
  },
  ...(['late', 'mean', 'bos'] as const).map((pooling): Case => ({
    architecture: 'EuroBertForSequenceClassification',
    config: { ...eurobert, classifier_pooling: pooling },
    tensors: eurobertTensors(),
    head: { ...dense('dense'), ...dense('classifier', LABELS) },
    wanted: (states, all, last) => {
      const real = states.slice(0, last + 1);
      const read = (x: Vector) => affine(all, 'classifier')(affine(all, 'dense')(x).map(gelu));
      if (pooling === 'late') return [mean(real.map(read))];
      return [read(pooling === 'bos' ? states[0] : mean(real))];
    },
  })),
  {
    architecture: 'EuroBertForMaskedLM',
    config: { ...eurobert, mlp_bias: false, tie_word_embeddings: false },
    tensors: eurobertTensors(),
    head: { 'lm_head.weight': [TINY.vocabulary, SIZE] },
    wanted: (states, all) => states.map(affine(all, 'lm_head')),
  },
  {
    architecture: 'LlamaForSequenceClassification',
    config: { ...LLAMA, pad_token_id: 1, tie_word_embeddings: true },
    tensors: llamaTensors(),
    head: { 'score.weight': [LABELS, SIZE] },
    wanted: (states, all, last) => [affine(all, 'score')(states[last])],
  },
  {
    architecture: 'BertForTokenClassification',
    config: bertConfig(),
    tensors: bertTensors(),
    head: dense('classifier', LABELS),
    wanted: (states, all) => states.map(affine(all, 'classifier')),
  },
  {
    architecture: 'BertForMaskedLM',
    config: bertConfig({ hidden_act: 'relu' }),
    tensors: bertTensors(),
    head: {
      ...dense('cls.predictions.transform.dense'),
      'cls.predictions.transform.LayerNorm.weight': [SIZE],
      'cls.predictions.transform.LayerNorm.bias': [SIZE],
      'cls.predictions.bias': [TINY.vocabulary],
    },
    wanted: vocabulary(
      'cls.predictions.transform.dense',
      'cls.predictions.transform.LayerNorm',
      'cls.predictions.bias',
      `bert.${EMBEDDING}`,
      (x) => Math.max(0, x),
    ),
  },
  {
    architecture: 'RobertaForMaskedLM',
    config: roberta,
    tensors: robertaTensors,
    head: {
      ...dense('lm_head.dense'),
      'lm_head.layer_norm.weight': [SIZE],
      'lm_head.layer_norm.bias': [SIZE],
      'lm_head.bias': [TINY.vocabulary],
    },
    wanted: vocabulary('lm_head.dense', 'lm_head.layer_norm', 'lm_head.bias', `roberta.${EMBEDDING}`),
  },
  {
    architecture: 'DistilBertForMaskedLM',
    config: DISTILBERT,
    tensors: distilbertTensors(),
    head: {
      ...dense('vocab_transform'),
      'vocab_layer_norm.weight': [SIZE],
      'vocab_layer_norm.bias': [SIZE],
      'vocab_projector.bias': [TINY.vocabulary],
    },
    wanted: vocabulary(
      'vocab_transform',
      'vocab_layer_norm',
      'vocab_projector.bias',
      `distilbert.${EMBEDDING}`,
    ),
  },
];

function folderOf({ architecture, config, tensors, head: dims }: Case) {
  const id2label = { 0: 'no', 1: 'yes', 2: 'perhaps' };
  const all = { ...tensors, ...head(dims) };
  // The file's writer would draw those of the base model itself.
  for (const [k, [name, t]] of Object.entries(all).entries())
    all[name] = {
      ...t,
      values:
        t.values ??
        values(
          t.dims.reduce((a, b) => a * b, 1),
          k,
        ),
    };
  const path = folders.make({
    'config.json': { ...config, architectures: [architecture], id2label },
    'model.safetensors': safetensors(all),
  });
  return { path, all };
}

describe.each(CASES)('the head of $architecture', (c) => {
  it('gives the logits of transformers, and is not adapted', async () => {
    const { path, all } = folderOf(c);
    const model = loadModelFrom(modelSource(path));
    const feed = (values: number[]) => host([2, 5], values, DType.int64);
    const out = await runModel(model, { input_ids: feed(IDS), attention_mask: feed(MASK) });
    const states = Array.from(out.last_hidden_state.data as Float32Array);
    const wanted = [0, 1].flatMap((row) => {
      const tokens = [0, 1, 2, 3, 4].map((t) => states.slice((row * 5 + t) * SIZE, (row * 5 + t + 1) * SIZE));
      return c.wanted(tokens, all, row === 0 ? 4 : 2).flat();
    });
    const found = Array.from(out.logits.data as Float32Array);
    expect(found).toHaveLength(wanted.length);
    found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 4));
    expect(headLabels(model)).toEqual(
      c.architecture.endsWith('MaskedLM') ? undefined : ['no', 'yes', 'perhaps'],
    );
    const names = Object.keys(c.head).map((name) => name.replace(/\.\w+$/, ''));
    const paths = findLinearLayers(model.graph).map((layer) => layer.path);
    expect(paths.filter((path) => names.includes(path))).toEqual([]);
    // The pooler is a part of the base model.
    const isPooled = names.some((name) => /^(?:al)?bert\.pooler/.test(name));
    expect(paths.some((path) => path.startsWith('pooler'))).toBe(isPooled);
  });

  it('is left out without its weights', () => {
    const { graph } = loadModelFrom(modelSource(folderOf({ ...c, head: {} }).path));
    expect(graph.outputs.map((o) => o.name)).toEqual(['last_hidden_state']);
  });
});

it('a head whose weight is stored with other values than the embedding is not tied to it', async () => {
  const c = CASES.find((each) => each.architecture === 'BertForMaskedLM')!;
  const decoder = 'cls.predictions.decoder.weight';
  const { all } = folderOf({ ...c, head: { ...c.head, [decoder]: [TINY.vocabulary, SIZE] } });
  const logits = async (tie: boolean, weight: Stored) => {
    const path = folders.make({
      'config.json': { ...c.config, architectures: [c.architecture], tie_word_embeddings: tie },
      'model.safetensors': safetensors({ ...all, [decoder]: weight }),
    });
    const feed = (ids: number[]) => host([2, 5], ids, DType.int64);
    const out = await runModel(loadModelFrom(modelSource(path)), {
      input_ids: feed(IDS),
      attention_mask: feed(MASK),
    });
    return Array.from(out.logits.data as Float32Array);
  };
  const [own, shared] = [all[decoder], all[`bert.${EMBEDDING}`]];
  expect(await logits(true, own)).toEqual(await logits(false, own));
  expect(await logits(true, shared)).toEqual(await logits(false, shared));
  expect(await logits(true, own)).not.toEqual(await logits(true, shared));
});

it('a BERT with a pooler has its output', () => {
  const bert = CASES.find((c) => c.architecture === 'BertForSequenceClassification')!;
  const c = { ...bert, architecture: 'BertModel', head: dense('bert.pooler.dense') };
  const { graph } = loadModelFrom(modelSource(folderOf(c).path));
  expect(graph.outputs.map((o) => o.name)).toEqual(['last_hidden_state', 'pooler_output']);
});

describe("the text's last token", () => {
  const token = async (more: Record<string, unknown>) => {
    const gemma = { ...LLAMA, model_type: 'gemma', head_dim: 2 };
    const { path, all } = folderOf({
      ...CASES.find((c) => c.architecture.startsWith('Llama'))!,
      architecture: 'GemmaForSequenceClassification',
      config: { ...gemma, ...more },
    });
    const feed = (values: number[]) => host([1, 5], values, DType.int64);
    const inputs = { input_ids: feed([0, 9, 0, 7, 0]), attention_mask: feed([0, 1, 1, 1, 1]) };
    const out = await runModel(loadModelFrom(modelSource(path)), inputs);
    const states = Array.from(out.last_hidden_state.data as Float32Array);
    const close = (wanted: Vector) =>
      wanted.every((v, i) => Math.abs(v - (out.logits.data as Float32Array)[i]) < 1e-4);
    const at = [0, 1, 2, 3, 4].map((t) => affine(all, 'score')(states.slice(t * SIZE, (t + 1) * SIZE)));
    return at.findIndex(close);
  };

  it('is the rightmost that is not padding, which Gemma has a token for by default', async () => {
    expect(await token({})).toBe(3);
    expect(await token({ pad_token_id: 7 })).toBe(4);
  });

  it('is the last of the mask if no token is padding', async () =>
    expect(await token({ pad_token_id: null })).toBe(4));
});
