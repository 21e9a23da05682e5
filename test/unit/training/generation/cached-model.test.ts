import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeInputs } from '../../../../src/data/batch';
import { openForward } from '../../../../src/engine/open-task';
import { loadModel } from '../../../../src/graph/file/load';
import type { Model } from '../../../../src/graph/model';
import { prepareModel } from '../../../../src/graph/prepare';
import { decoderGraphs } from '../../../../src/tasks/decoder-graphs';
import { CachedModel } from '../../../../src/training/generation/cached-model';
import { logSumExp } from '../../../../src/training/generation/decoders';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('cached');

const load = (name: string) => loadModel(resolve(`test/fixtures/reference/more/${name}.onnx`));
const logProbabilities = (logits: Float32Array) => {
  const sum = logSumExp(logits);
  return Array.from(logits, (v) => v - sum);
};

interface Case {
  texts: number[][];
  masks: boolean;
  decoders: number;
}

/** As beams go on: one text ends, and another has two continuations. */
const GOING_ON = [
  [1, 0, 0].map((text, i) => ({ text, token: 10 + i })),
  [2, 0].map((text, i) => ({ text, token: 20 + i })),
];
const UNEQUAL = [[5, 9, 3, 11], [7], [2, 8], [4, 4, 30, 1, 6]];
const EQUAL = [
  [5, 9, 3],
  [7, 1, 2],
];
const CASES: Record<string, Case> = {
  'past-gpt2': { texts: UNEQUAL, masks: true, decoders: 1 },
  'past-llama': { texts: UNEQUAL, masks: true, decoders: 1 },
  'past-counted': { texts: EQUAL, masks: false, decoders: 1 },
  'past-merged': { texts: EQUAL, masks: false, decoders: 2 },
  // GroupQueryAttention counts the tokens of a text from the left of its cache.
  '../../fused/llama-cached': { texts: EQUAL, masks: false, decoders: 1 },
};

describe('the next token with a cache', () => {
  it.each(Object.entries(CASES))('of %s is as likely as without one', async (name, c) => {
    const original = load(name);
    const graphs = decoderGraphs(original, { output: 'logits', adapters: [] })!;
    expect(graphs).toMatchObject({ masks: c.masks });
    const open = (model: Model, outputs = model.graph.outputs.map((o) => o.name)) =>
      openForward(model, outputs, mkdtempSync(join(folder, 'model-')));
    const next = await open(graphs.next);
    const first = graphs.first && (await open(graphs.first));
    expect(first ? 2 : 1).toBe(c.decoders);
    const model = new CachedModel(graphs, { next, ...(first && { first }) }, {}, 0);

    const prepared = prepareModel(original);
    const plain = await open(prepared, ['logits']);
    const whole = async (ids: readonly number[]) => {
      const example = { ids: Int32Array.from(ids), size: ids.length, row: 0 };
      const dataset = { examples: [example], padId: 0, truncatedCount: 0, skipped: [] };
      const { logits } = await plain.run(makeInputs(dataset, [0], prepared.graph.inputs));
      const data = logits.data as Float32Array;
      return logProbabilities(data.subarray(data.length - logits.dims[2]));
    };
    let texts = c.texts.map((ids) => ids.slice(0, -1));
    let cache = await model.read(texts);
    const last = c.texts.map((ids, text) => ({ text, token: ids.at(-1)! }));
    for (const tokens of [last, ...GOING_ON]) {
      texts = tokens.map(({ text, token }) => [...texts[text], token]);
      const found = await model.next(cache, tokens);
      cache = found.cache;
      for (const [i, ids] of texts.entries()) {
        const wanted = await whole(ids);
        logProbabilities(found.logits[i]).forEach((p, token) =>
          expect(Math.abs(p - wanted[token])).toBeLessThan(1e-5),
        );
      }
    }
  });
});
