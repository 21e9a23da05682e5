import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { makeInputs } from '../../../../src/data/batch';
import type { TextDataset, TextExample } from '../../../../src/data/dataset';
import { openForward } from '../../../../src/engine/open-task';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import type { Model } from '../../../../src/graph/model';
import { prepareModel } from '../../../../src/graph/prepare';
import { decoderGraphs } from '../../../../src/tasks/decoder-graphs';
import { CachedModel } from '../../../../src/training/generation/cached-model';
import { write, writeCached, type Next } from '../../../../src/training/generation/writer';
import { writeFolders } from '../../../fixtures/few-bits/write.mjs';
import { scratchFolder } from '../../../scratch';
import { writing } from './writing';

const folder = scratchFolder('cached-hub');
const hub = resolve('test/fixtures/hf');

/** One for each way of writing layers; the windows end within the texts. */
const DECODERS = [
  'gemma3',
  'gpt-neox',
  'gpt2-untied',
  'mistral-window',
  'olmo2',
  'phi3-window',
  'phi',
  'stablelm-12b',
  'olmo-clipped',
  'olmo3',
  'cohere-norms',
  'cohere2',
  'nemotron',
  'helium',
  'glm',
  'glm4',
  'exaone4',
  'bloom',
  'falcon-7b',
  'falcon-40b',
  'falcon-rw',
  'gpt-neo',
  'gptj',
  'mpt',
  'opt',
  'persimmon',
  'gpt-oss',
  'gpt2-untied',
  'mistral-window',
  'mixtral',
  'olmo2',
  'phi3-window',
  'qwen3-moe',
];

// Prompts of unequal lengths, one of a single token; all have room for six more in GPT-2's twelve positions.
const PROMPTS = [[5, 9, 3, 11, 2, 6], [7], [2, 8, 8], [4, 4, 30, 1]];

/** Compares the texts that a folder's decoder writes with its cache and without. */
async function writesTheSame(path: string): Promise<void> {
  const original = loadModelFrom(modelSource(path));
  const graphs = decoderGraphs(original, { output: 'logits', adapters: [] })!;
  expect(graphs).toMatchObject({ masks: true });
  const open = (model: Model, outputs = model.graph.outputs.map((o) => o.name)) =>
    openForward(model, outputs, mkdtempSync(join(folder, 'graphs-')));
  const cached = new CachedModel(graphs, { next: await open(graphs.next) }, {}, 0);
  const plain = prepareModel(original);
  const session = await open(plain, ['logits']);
  const next: Next = async (texts) => {
    const examples = texts as TextExample[];
    const dataset: TextDataset = { examples, padId: 0, truncatedCount: 0, skipped: [] };
    const { logits } = await session.run(makeInputs(dataset, [...texts.keys()], plain.graph.inputs));
    const [, length, vocabulary] = logits.dims;
    return texts.map(({ size }, i) => {
      const at = (i * length + size - 1) * vocabulary;
      return (logits.data as Float32Array).slice(at, at + vocabulary);
    });
  };
  const paths = (model: Model) => findLinearLayers(model.graph).map((layer) => layer.path);
  expect(paths(graphs.next)).toEqual(paths(plain));

  const [greedy, beams] = [1, 3].map((count) => PROMPTS.map((prompt) => writing(prompt, 6, count, [0])));
  const texts = await writeCached(greedy, cached);
  expect(texts).toEqual(await write(greedy, 4, next));
  expect(texts.flat().length).toBeGreaterThan(12);
  expect(await writeCached(beams, cached)).toEqual(await write(beams, 12, next));
}

describe('a decoder from the hub writes the same texts with a key/value cache', () => {
  it.each(DECODERS)('%s', (name) => writesTheSame(join(hub, name)));

  it.each(['gptq-4-order', 'awq', 'nf4', 'int8', 'fp4'])('in few bits: %s', (layout) =>
    writesTheSame(writeFolders(join(folder, layout), layout).quantized),
  );
});
