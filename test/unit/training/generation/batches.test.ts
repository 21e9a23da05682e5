import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { openForward } from '../../../../src/engine/open-task';
import { loadModel } from '../../../../src/graph/file/load';
import type { Model } from '../../../../src/graph/model';
import { decoderGraphs } from '../../../../src/tasks/decoder-graphs';
import type { Writing } from '../../../../src/tasks/kind';
import { CachedModel } from '../../../../src/training/generation/cached-model';
import { textsAtOnce } from '../../../../src/training/generation/texts-at-once';
import { writeCached } from '../../../../src/training/generation/writer';
import type { Pass } from '../../../../src/training/micro-batch/default-parts';
import { scratchFolder } from '../../../scratch';
import { writing } from './writing';

const folder = scratchFolder('batches');
const past = (name: string) => loadModel(resolve(`test/fixtures/reference/more/${name}.onnx`));
const hub = (name: string) => loadModelFrom(modelSource(resolve('test/fixtures/hf', name)));

/** Decoders with learned and with rotary positions, as ONNX files and as folders from the hub. */
const DECODERS: Record<string, () => Model> = {
  'absolute positions, ONNX': () => past('past-gpt2'),
  'rotary positions, ONNX': () => past('past-llama'),
  'absolute positions, hub': () => hub('gpt2-untied'),
  'rotary positions, hub': () => hub('olmo2'),
};

// All have room for six more tokens in twelve positions.
const PROMPTS = [[5, 9, 3, 11, 2, 6], [7], [2, 8, 8], [4, 4, 30, 1], [9, 9], [3, 1, 2, 5, 8]];

async function opened(
  original: Model,
): Promise<(writings: readonly Writing[]) => ReturnType<typeof writeCached>> {
  const graphs = decoderGraphs(original, { output: 'logits', adapters: [] })!;
  const outputs = graphs.next.graph.outputs.map((o) => o.name);
  const next = await openForward(graphs.next, outputs, mkdtempSync(join(folder, 'model-')));
  const model = new CachedModel(graphs, { next }, {}, 0);
  return (writings) => writeCached(writings, model);
}

describe('a text that a decoder writes', () => {
  it.each(Object.entries(DECODERS))('does not depend on those beside it, with %s', async (_, load) => {
    const write = await opened(load());
    // Some end early, so that the others go on in a smaller batch.
    const writings = PROMPTS.map((prompt, i) => writing(prompt, i % 2 ? 6 : 3, 1, [0]));
    const alone: (readonly number[])[] = [];
    for (const one of writings) alone.push(...(await write([one])));
    expect(alone.flat().length).toBeGreaterThan(12);
    expect(new Set(alone.map(String)).size).toBeGreaterThan(2);
    expect(await write(writings)).toEqual(alone);
    expect(await write(writings.toReversed())).toEqual(alone.toReversed());
    expect(await write([writings[1], writings[0], writings[1]])).toEqual([alone[1], alone[0], alone[1]]);
  });

  it('ends with the first stop string, and no later than its neighbours', async () => {
    const write = await opened(past('past-llama'));
    const [long] = await write([writing(PROMPTS[0], 6, 1, [0])]);
    const stopped: Writing = {
      ...writing(PROMPTS[0], 6, 1, [0]),
      isOver: (tokens) => tokens.at(-1) === long[2],
    };
    const texts = await write([stopped, writing(PROMPTS[0], 6, 1, [0])]);
    expect(texts[0]).toEqual(long.slice(0, long.indexOf(long[2]) + 1));
    expect(texts[1]).toEqual(long);
  });
});

describe('the number of texts that are written at once', () => {
  const cache = (heads: number) =>
    Array.from({ length: 8 }, () => ({ heads, size: 64 })) as unknown as Parameters<typeof textsAtOnce>[0];
  const prompts = (length: number) => [writing(Array<number>(length).fill(5), 256, 1)];
  /** The limits of a run, of which only those of writing are kept. */
  function limits(evaluation = Infinity) {
    let writing = Infinity;
    return {
      limit: (pass: Pass) => ({ examples: Infinity, tokens: pass === 'writing' ? writing : evaluation }),
      restrict: (_: Pass, tokens: number) => void (writing = tokens),
    };
  }
  const GB = 2 ** 30;

  it('is as large as a quarter of the memory allows, for their keys and values twice', () => {
    const texts = (heads: number, memory: number | undefined) =>
      textsAtOnce(cache(heads), prompts(256), limits(), () => memory);
    // 8 tensors of 64 heads of 64 numbers of 4 bytes are 128 KiB a token, for 512 tokens twice 128 MiB.
    expect(texts(64, 4 * GB)).toBe(8);
    expect(texts(64, 8 * GB)).toBe(16);
    expect(texts(64, undefined)).toBe(8);
    expect(texts(4096, GB)).toBe(1);
    expect(textsAtOnce(cache(1), prompts(4), limits(), () => 64 * GB)).toBe(256);
  });

  it('stays the same for a run, whatever memory there is later', () => {
    const run = limits();
    expect(textsAtOnce(cache(64), prompts(256), run, () => 4 * GB)).toBe(8);
    expect(textsAtOnce(cache(64), prompts(256), run, () => GB)).toBe(8);
    expect(textsAtOnce(cache(64), prompts(128), run, () => 64 * GB)).toBe(10);
  });

  it('is less where the prompts would not fit at once', () => {
    expect(textsAtOnce(cache(1), prompts(1024), limits(), () => 64 * GB)).toBe(16);
    expect(textsAtOnce(cache(1), prompts(50), limits(100), () => 64 * GB)).toBe(2);
  });
});
