import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import type { Dim, Model, ValueInfo } from '../../../src/graph/model';
import { saveModel } from '../../../src/graph/file/save';
import { GENERATION_DEFAULTS, PLAY_VARIANTS } from '../../../src/protocol/play-question';
import { findAnswer, whatItReads } from '../../../src/inference/answer';
import { generate } from '../../../src/inference/generate';
import { openModel } from '../../../src/inference/open-model';
import { probabilitiesOf } from '../../../src/inference/classification';
import type { Classifier, LanguageModel } from '../../../src/inference/subject';
import { argmax } from '../../../src/tasks/softmax';
import { scratchFolder } from '../../scratch';

const FIXTURES = resolve('test/fixtures/playground');
const folder = scratchFolder('playground');
let opened = 0;
const options = () => ({ folder: join(folder, `open-${opened++}`), threads: 1 });

const value = (name: string, shape: Dim[], dtype: number = DType.int64): ValueInfo => ({
  name,
  shape,
  dtype,
});
const ids = value('input_ids', ['batch', 'sequence']);
const logits = value('logits', ['batch', 2], DType.float);

/** A model with these inputs and outputs and no nodes. */
const model = (inputs: ValueInfo[], outputs: ValueInfo[] = [logits]): Model => ({
  irVersion: 8,
  producer: '',
  opsets: new Map([['', 17]]),
  metadata: new Map(),
  graph: { name: '', nodes: [], initializers: new Map(), inputs, outputs },
});

describe('the inputs of a model', () => {
  const pixels = (dtype: number) => value('pixel_values', ['batch', 3, 8, 8], dtype);

  it('are recognized as texts or images', () => {
    expect(whatItReads(model([ids, value('attention_mask', ['batch', 'sequence'])]), 'm')).toBe('texts');
    expect(whatItReads(model([pixels(DType.float)]), 'm')).toBe('images');
  });

  it.each([
    [
      [ids, value('past_key_values.0.key', ['batch', 4, 'past', 8], DType.float)],
      /m\.onnx has the inputs input_ids \[batch, sequence\], past_key_values\.0\.key \[batch, 4, past, 8\] and the outputs logits \[batch, 2\]: it has a key\/value cache of an unknown form/,
      /Export it as Optimum does/,
    ],
    [
      [ids, value('pixel_values', ['batch', 3, 8, 8], DType.float)],
      /match neither texts nor images/,
      /classifiers/,
    ],
    [[pixels(DType.float16)], /its pixels are float16/, /float32/],
    [[value('input_ids', [1, 128])], /not \[batch, sequence\] with both free/, /dynamic axes/],
  ])('are reported if they are neither', (inputs, message, hint) => {
    const error = thrown(() => whatItReads(model(inputs), 'm.onnx'));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});

describe('the output with the answer', () => {
  const hidden = value('last_hidden_state', ['batch', 'sequence', 8], DType.float);
  const present = value('present.0.key', ['batch', 4, 'sequence', 8], DType.float);
  const found = (outputs: ValueInfo[], head = false) => {
    const { output, isLogits } = findAnswer(model([ids], outputs), 'm.onnx', head);
    return [output.name, isLogits];
  };

  it('is named logits or is the only one', () => {
    expect(found([hidden, logits, present])).toEqual(['logits', true]);
    expect(found([{ ...logits, name: 'scores' }, present])).toEqual(['scores', true]);
    expect(found([hidden, { ...logits, name: 'pooler_output' }], true)).toEqual(['last_hidden_state', false]);
  });

  it("is the trained head's if our own export also has the model's own output", () => {
    const own = value('aurora_logits', ['batch', 3], DType.float);
    expect(findAnswer(model([ids], [logits, own]), 'm', false).output).toBe(own);
  });

  it('is not guessed among hidden states', () => {
    expect(() => found([hidden])).toThrow('its output is hidden states, not predictions');
    expect(() => found([{ ...logits, name: 'sentence_embedding' }])).toThrow(
      'its output is hidden states, not predictions',
    );
    expect(() =>
      found([
        { ...logits, name: 'a' },
        { ...logits, name: 'b' },
      ]),
    ).toThrow('no output is named "logits"');
  });
});

describe('a language model', () => {
  interface Greedy {
    prompt: string;
    ids: number[];
    base: { tokens: number[] };
    adapted: { tokens: number[] };
  }
  const greedy = JSON.parse(readFileSync(join(FIXTURES, 'language/greedy.json'), 'utf8')) as Greedy[];

  it("generates PyTorch's tokens with and without the adapter", async () => {
    const at = join(FIXTURES, 'language');
    const source = { kind: 'model', model: join(at, 'model.onnx'), adapter: join(at, 'adapter') } as const;
    const lm = (await openModel(source, options())) as LanguageModel;
    expect([...lm.ends]).toEqual([0]);
    for (const wanted of greedy)
      for (const variant of PLAY_VARIANTS) {
        const all = lm.encode(wanted.prompt);
        expect(all).toEqual(wanted.ids);
        for (const token of wanted[variant].tokens) {
          expect(argmax((await lm.next(all, variant)).logits)).toBe(token);
          all.push(token);
        }
        expect(argmax((await lm.next(all, variant)).logits)).toBe(0);
      }
    await lm.dispose();
  });

  it.each(['neox', 'gemma'])("returns the last position of the model's logits: %s", async (name) => {
    const at = resolve(`test/fixtures/reference/more/${name}.onnx`);
    const tokenizer = resolve('test/fixtures/data/wordpiece/tokenizer.json');
    const lm = (await openModel({ kind: 'model', model: at, tokenizer }, options())) as LanguageModel;
    const ids = lm.encode('the cats played , the cat');
    const { logits } = await lm.next(ids, 'adapted');
    const session = await openSession(at);
    const row = (values: bigint[]) => ({
      dtype: DType.int64,
      dims: [1, ids.length],
      data: BigInt64Array.from(values),
    });
    const feeds = { input_ids: row(ids.map(BigInt)), attention_mask: row(ids.map(() => 1n)) };
    const whole = await session.run(name === 'neox' ? { input_ids: feeds.input_ids } : feeds, ['logits']);
    const { dims, data } = whole.logits;
    const last = (data as Float32Array).slice(-dims[2]);
    logits.forEach((v, i) => expect(v).toBeCloseTo(last[i], 4));
    await session.dispose();
    await lm.dispose();
  });

  it.each([false, true])('may have a key/value cache (with an adapter: %s)', async (adapted) => {
    const adapter = adapted ? join(FIXTURES, 'language/adapter') : undefined;
    const next = async (name: string) => {
      const source = { kind: 'model', model: join(FIXTURES, 'language', name), adapter } as const;
      const lm = (await openModel(source, options())) as LanguageModel;
      const { logits } = await lm.next(lm.encode('The cat'), 'adapted');
      await lm.dispose();
      return Array.from(logits);
    };
    const [without, cached] = [await next('model.onnx'), await next('with-past.onnx')];
    expect(cached).toHaveLength(without.length);
    cached.forEach((v, i) => expect(v).toBeCloseTo(without[i], 4));
  });

  it('generates the same text for the same seed and reports why it ended', async () => {
    const lm = (await openModel(
      { kind: 'model', model: join(FIXTURES, 'language/model.onnx') },
      options(),
    )) as LanguageModel;
    const settings = { ...GENERATION_DEFAULTS, maxTokens: 12, temperature: 3, seed: 9 };
    const told: string[] = [];
    const make = () =>
      generate(
        lm,
        'adapted',
        'The',
        settings,
        async (text) => void told.push(text),
        () => false,
      );
    const first = await make();
    expect(first.text).toBe(told.join(''));
    expect((await make()).text).toBe(first.text);
    let left = 3;
    const stopped = await generate(
      lm,
      'adapted',
      'The',
      settings,
      async () => {},
      () => left-- === 0,
    );
    expect([stopped.ended, stopped.tokens]).toEqual(['stopped', 3]);
    expect(first.text.startsWith(stopped.text)).toBe(true);
    await lm.dispose();
  });

  it('that fills masks gives the likeliest tokens for each', async () => {
    const own = join(folder, 'bert');
    mkdirSync(own, { recursive: true });
    copyFileSync('test/fixtures/reference/more/masked-language-model.onnx', join(own, 'model.onnx'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      copyFileSync(join('test/fixtures/data/wordpiece', name), join(own, name));
    writeFileSync(join(own, 'config.json'), '{"architectures":["BertForMaskedLM"]}');
    const opened = await openModel({ kind: 'model', model: join(own, 'model.onnx') }, options());
    expect(opened.facts).toMatchObject({ input: 'text', answer: 'tokens', mask: '[MASK]' });
    const { masks, tokens } = await (opened as Classifier).answer({ text: 'the [MASK] [MASK]' }, 'adapted');
    expect(tokens).toBe(5);
    expect(masks!.map((m) => m.length)).toEqual([5, 5]);
    for (const m of masks!)
      expect(m.map((x) => x.probability)).toEqual(m.map((x) => x.probability).sort((a, b) => b - a));
    await opened.dispose();
  });

  it('is rejected if the tokenizer has more tokens, the model fills masks without a mask token, or it has other outputs', async () => {
    const own = join(folder, 'masked');
    copyTo(own, 'language', ['model.onnx', 'tokenizer.json']);
    writeFileSync(join(own, 'config.json'), '{"architectures":["BertForMaskedLM"]}');
    const open = (at: string) => openModel({ kind: 'model', model: at }, options());
    await expect(open(join(own, 'model.onnx'))).rejects.toThrow('has no mask token');
    rmSync(join(own, 'config.json'));
    // A tagger has a few numbers per token.
    const tagger = loadModel(join(own, 'model.onnx'));
    const g = new GraphBuilder(tagger.graph, '/test');
    g.op('Slice', ['logits', g.ints([0]), g.ints([5]), g.ints([2])], {}, { outputs: ['tags'] });
    tagger.graph.outputs = [value('tags', ['batch', 'sequence', 5], DType.float)];
    saveModel(tagger, join(own, 'tagger.onnx'));
    await expect(open(join(own, 'tagger.onnx'))).rejects.toThrow(
      'returns 5 values for each token, but the vocabulary has 174 tokens: it is not a language model',
    );
  });
});

describe('a classifier', () => {
  it('numbers its labels if they have no names and uses the scale of its configuration', async () => {
    const at = join(folder, 'plain');
    copyTo(at, 'text', ['tokenizer.json', 'tokenizer_config.json', 'model.onnx']);
    const texts = async (config?: object) => {
      if (config) writeFileSync(join(at, 'config.json'), JSON.stringify(config));
      const of = (await openModel({ kind: 'model', model: join(at, 'model.onnx') }, options())) as Classifier;
      const answer = await of.answer({ text: 'the cat' }, 'adapted');
      await of.dispose();
      return { facts: of.facts, answer };
    };
    const plain = await texts();
    expect(plain.facts.labels).toEqual(['0', '1']);
    expect(plain.facts.assumed).toEqual([
      'No config.json with label names was found next to the model; label indices are shown instead.',
      'The model’s maximum length is not stated. Texts are truncated to 512 tokens.',
    ]);
    const odd = await texts({ id2label: { 0: 'a', 1: 'b', 2: 'c' }, max_position_embeddings: 24 });
    expect(odd.facts.assumed).toEqual([
      'config.json names 3 labels, but the model has 2; label indices are shown instead.',
    ]);
    const several = await texts({ id2label: { 0: 'a', 1: 'b' }, problem_type: 'multi_label_classification' });
    expect(several.facts.labels).toEqual(['a', 'b']);
    const [p, q] = plain.answer.probabilities!;
    const [x, y] = several.answer.probabilities!;
    // The logits are the same, so the difference of the log odds is the difference of the logits.
    expect(Math.log(x / (1 - x)) - Math.log(y / (1 - y))).toBeCloseTo(Math.log(p / q), 4);
  });

  it('uses an output that already holds probabilities as it is', () => {
    expect(probabilitiesOf([0.25, 0.75], 'probabilities')).toEqual([0.25, 0.75]);
    expect(probabilitiesOf([0, 0], 'one-label')).toEqual([0.5, 0.5]);
    expect(() => probabilitiesOf([0, NaN], 'one-label')).toThrow('not finite');
  });
});

function copyTo(at: string, fixture: string, names: string[]): void {
  mkdirSync(at, { recursive: true });
  for (const name of names) copyFileSync(join(FIXTURES, fixture, name), join(at, name));
}

function thrown(action: () => unknown): { message: string; hint?: string } {
  try {
    action();
  } catch (e) {
    return e as Error;
  }
  throw new Error('Nothing was thrown.');
}
