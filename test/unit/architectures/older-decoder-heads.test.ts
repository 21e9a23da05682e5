import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { writeTensors } from '../../../src/architectures/folder/weights';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { DType } from '../../../src/graph/dtype';
import { host, runModel } from '../graph/onnx-models';
import { Folders } from './folders';
import { values } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

const HUB = join(import.meta.dirname, '../../fixtures/hf');
const LABELS = 2;

/** A reference case's folder as that of a classifier: a linear layer in place of the head. */
function classifier(name: string, change: Record<string, unknown>, head: string, bias: boolean) {
  const folder = folders.make({});
  cpSync(join(HUB, name), folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...change }));
  const stored = [...readHeader(join(HUB, name, 'model.safetensors')).values()];
  const size = stored.find((t) => /(?:embed_tokens|word_embeddings|wte)\.weight$/.test(t.name))!.dims[1];
  const parts = [
    { name: `${head}.weight`, dims: [LABELS, size], numbers: values(LABELS * size, 5) },
    ...(bias ? [{ name: `${head}.bias`, dims: [LABELS], numbers: values(LABELS, 6) }] : []),
  ];
  writeTensors(join(folder, 'model.safetensors'), [
    ...stored.filter((t) => !t.name.startsWith('lm_head.')),
    ...parts.map(({ name: part, dims, numbers }) => ({
      ...{ name: part, dims, dtype: 'F32' },
      data: () => new Uint8Array(Float32Array.from(numbers).buffer),
    })),
  ]);
  /** The logits that the head gives for states (rows, size). */
  const logits = (states: readonly number[]) =>
    Array.from({ length: states.length / size }, (_, row) =>
      Array.from(
        { length: LABELS },
        (_, label) =>
          (parts[1]?.numbers[label] ?? 0) +
          states
            .slice(row * size, (row + 1) * size)
            .reduce((sum, v, i) => sum + v * parts[0].numbers[label * size + i], 0),
      ),
    );
  return { folder, logits };
}

// The second text ends with padding.
const LENGTH = 4;
const ids = (padding: number) => [5, 9, 2, 7, 3, 6, padding, padding];
const MASK = [1, 1, 1, 1, 1, 1, 0, 0];

async function outputs(folder: string, padding: number) {
  const feed = (numbers: number[]) => host([2, LENGTH], numbers, DType.int64);
  const inputs = { input_ids: feed(ids(padding)), attention_mask: feed(MASK) };
  const out = await runModel(loadModelFrom(modelSource(folder)), inputs);
  const numbers = (name: string) => Array.from(out[name].data as Float32Array);
  return { states: numbers('last_hidden_state'), logits: numbers('logits'), dims: out.logits.dims };
}

const close = (found: readonly number[], wanted: readonly number[]) => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 4));
};

describe('labels of a text are read from its last token', () => {
  it.each([
    ['bloom', 'BloomForSequenceClassification', { pad_token_id: 3 }, 3],
    ['falcon-7b', 'FalconForSequenceClassification', {}, 0],
    ['gpt-neo', 'GPTNeoForSequenceClassification', {}, 0],
    ['gptj', 'GPTJForSequenceClassification', {}, 0],
    // Without a token for padding, it is that of the mask.
    ['mpt', 'MptForSequenceClassification', {}, 8],
    // This one has narrower states than layers, and a token for padding by default.
    ['opt-projected', 'OPTForSequenceClassification', {}, 1],
    ['persimmon', 'PersimmonForSequenceClassification', {}, 0],
  ])('%s as %s', async (name, architecture, change, padding) => {
    const { folder, logits } = classifier(name, { ...change, architectures: [architecture] }, 'score', false);
    const out = await outputs(folder, padding);
    expect(out.dims).toEqual([2, LABELS]);
    const every = logits(out.states);
    close(out.logits, [...every[3], ...every[LENGTH + 1]]);
  });
});

describe('labels of tokens are read from each', () => {
  it.each([
    ['bloom', 'BloomForTokenClassification', 'classifier'],
    ['falcon-7b', 'FalconForTokenClassification', 'classifier'],
    ['gpt-neo', 'GPTNeoForTokenClassification', 'classifier'],
    ['mpt', 'MptForTokenClassification', 'classifier'],
    ['persimmon', 'PersimmonForTokenClassification', 'score'],
  ])('%s as %s', async (name, architecture, head) => {
    const { folder, logits } = classifier(name, { architectures: [architecture] }, head, true);
    const out = await outputs(folder, 0);
    expect(out.dims).toEqual([2, LENGTH, LABELS]);
    close(out.logits, logits(out.states).flat());
  });
});

describe('a base model alone', () => {
  it.each([
    ['opt', 'OPTModel', 'model.'],
    ['falcon-7b', 'FalconModel', 'transformer.'],
    ['gptj', 'GPTJModel', 'transformer.'],
    ['persimmon', 'PersimmonModel', 'model.'],
  ])('%s as %s has the same states', async (name, architecture, prefix) => {
    const folder = folders.make({});
    cpSync(join(HUB, name), folder, { recursive: true });
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, architectures: [architecture] }));
    const stored = [...readHeader(join(HUB, name, 'model.safetensors')).values()];
    writeTensors(
      join(folder, 'model.safetensors'),
      stored
        .filter((t) => t.name.startsWith(prefix))
        .map((t) => ({ ...t, name: t.name.slice(prefix.length) })),
    );
    const states = async (path: string) => {
      const model = loadModelFrom(modelSource(path));
      const feed = (numbers: number[]) => host([2, LENGTH], numbers, DType.int64);
      const out = await runModel(model, { input_ids: feed(ids(0)), attention_mask: feed(MASK) });
      return [...(out.last_hidden_state.data as Float32Array)];
    };
    expect(await states(folder)).toEqual(await states(join(HUB, name)));
  });
});
