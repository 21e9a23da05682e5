import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeRow } from '../../../src/data/dataset';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor } from '../../../src/graph/tensor-infos';
import { maskedLanguageModeling as kind } from '../../../src/tasks/masked-language-modeling';
import {
  withMask,
  inPass,
  maskedText,
  maskingOf,
  type MaskedText,
} from '../../../src/tasks/text/masked-text';
import { IGNORE_LABEL } from '../../../src/tasks/objective';
import { LABELS } from '../../../src/tasks/task-graph';
import { batchFeeds, modelInputs } from '../../../src/tasks/task-data';
import { failure, rejection } from '../data/support';
import { taskLab, textModel } from './lab';

const FIXTURE = join(import.meta.dirname, '../../fixtures/data/wordpiece');
const tokenizer = loadTokenizer(join(FIXTURE, 'tokenizer.json'));
const masking = maskingOf(tokenizer);
const MASK = 4;
const [CLS, SEP] = [2, 3];
const { spec, write } = taskLab('masked-language-modeling');

/** A text of this many words, with the tokens around it. */
const text = (words: number, row = 0) => {
  const ids = Int32Array.from([CLS, ...Array.from({ length: words }, (_, i) => 5 + ((i * 7) % 16)), SEP]);
  return { size: ids.length, ids, row };
};
const chosen = ({ targets }: MaskedText) => [...targets.keys()].filter((i) => targets[i] !== IGNORE_LABEL);

describe('a masked text', () => {
  it('has 15% of its tokens to predict, at least one, and never a special one', () => {
    for (const [words, count] of [
      [1, 1],
      [3, 1],
      [10, 2],
      [100, 15],
    ]) {
      const masked = maskedText(text(words), masking, 7);
      expect(chosen(masked)).toHaveLength(count);
      expect(chosen(masked)).not.toContain(0);
      expect(chosen(masked)).not.toContain(words + 1);
      for (const at of chosen(masked)) expect(masked.targets[at]).toBe(masked.whole[at]);
      for (const at of masked.ids.keys())
        if (!chosen(masked).includes(at)) expect(masked.ids[at]).toBe(masked.whole[at]);
    }
  });

  it('hides 80% of them, replaces 10% by any ordinary token, and keeps 10%', () => {
    const counts = { masked: 0, kept: 0, other: 0 };
    const others = new Set<number>();
    for (let row = 0; row < 300; row++) {
      const masked = maskedText(text(100, row), masking, 3);
      for (const at of chosen(masked)) {
        const [id, own] = [masked.ids[at], masked.whole[at]];
        if (id === MASK) counts.masked++;
        else if (id === own) counts.kept++;
        else {
          counts.other++;
          others.add(id);
        }
      }
    }
    const total = 4500;
    expect(counts.masked / total).toBeCloseTo(0.8, 1);
    // A replacement may be the token itself: one in 16.
    expect(counts.kept / total).toBeCloseTo(0.1 + 0.1 / 16, 1);
    expect(counts.other / total).toBeCloseTo(0.1 - 0.1 / 16, 1);
    expect([...others].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => 5 + i));
  });

  it('depends on the seed, the epoch and the row alone', () => {
    const masked = [0, 1].map((row) => maskedText(text(100, row), masking, 7));
    const places = (texts: MaskedText[]) => texts.map((t) => chosen(t).join());
    const all = [0, 1, 2].flatMap((epoch) => places(inPass(masked, { seed: 7, epoch })));
    expect(new Set([...all, ...places(masked)]).size).toBe(8);
    expect(inPass(masked, { seed: 7, epoch: 1 })).toEqual(inPass(masked, { seed: 7, epoch: 1 }));
    expect(inPass([masked[1]], { seed: 7, epoch: 1 })[0]).toEqual(inPass(masked, { seed: 7, epoch: 1 })[1]);
    expect(places(inPass(masked, { seed: 8, epoch: 1 }))).not.toEqual(
      places(inPass(masked, { seed: 7, epoch: 1 })),
    );
    expect(inPass(masked, undefined)).toEqual(masked);
    // A step is divided by what counts in it, which is known without its masks.
    expect(inPass(masked, { seed: 7, epoch: 1 }).map(kind.weight)).toEqual(masked.map(kind.weight));
  });

  it('of unknown words alone has nothing to predict', () => {
    const unknown = { size: 3, ids: Int32Array.of(CLS, 1, SEP), row: 0 };
    expect(maskedText(unknown, masking, 7).size).toBe(0);
  });
});

describe('the data of a masked language model', () => {
  const train = write('train.jsonl', '{"text":"the cats playing"}\n{"text":"the cat"}\n');
  const experiment = (more: object = {}) => spec({ train, validation: train }, more);

  it('are hidden tokens and, as labels, the tokens themselves', async () => {
    const data = await kind.load(experiment(), textModel);
    const { dataset } = data.train;
    const feeds = (pass?: { seed: number; epoch: number }) =>
      batchFeeds(kind as never, modelInputs(textModel), dataset, [0, 1], undefined, pass);
    const numbers = (t: HostTensor) => [...(t.data as BigInt64Array)].map(Number);
    const whole = dataset.examples.map((e) => [...e.whole]);
    for (const pass of [undefined, { seed: 42, epoch: 0 }, { seed: 42, epoch: 5 }]) {
      const found = await feeds(pass);
      const length = found.input_ids.dims[1];
      const [ids, labels] = [numbers(found.input_ids), numbers(found[LABELS])];
      expect(found[LABELS]).toMatchObject({ dtype: DType.int64, dims: [2, length] });
      const padded = whole.flatMap((w) => [...w, ...Array<number>(length - w.length).fill(0)]);
      padded.forEach((id, at) => {
        if (labels[at] === IGNORE_LABEL) expect(ids[at]).toBe(id);
        else expect(labels[at]).toBe(id);
      });
      expect(labels.filter((l) => l !== IGNORE_LABEL)).toHaveLength(2);
    }
    expect(await feeds()).toEqual(await feeds());
    expect(kind.varies()).toBe(true);
    expect(kind.facts(dataset.examples)).toEqual({ labels: {}, targets: 2 });
    expect(kind.shown(data, data.train, 0).pieces!.filter((p) => p !== '')).toEqual([
      'the',
      'cats',
      'play',
      'ing',
    ]);
  });

  it('are asked about with one of their words hidden', async () => {
    const data = await kind.withoutRows(experiment(), textModel);
    const samples = await kind.samples(experiment(), data);
    for (const { text, label } of [samples.at(0)!, samples.at(1)!]) {
      expect(text.split('[MASK]')).toHaveLength(2);
      expect(['the cats playing', 'the cat']).toContain(text.replace('[MASK]', label));
    }
    expect((await kind.samples(experiment(), data)).at(0)).toEqual(samples.at(0));
  });

  it('hide a word that the model still reads, however long the text is', () => {
    const text = `${'the cat '.repeat(200)}played`;
    for (let row = 0; row < 20; row++) {
      const { text: masked, hidden } = withMask(text, tokenizer, 12, 7, row);
      expect(['the', 'cat']).toContain(hidden);
      expect([...encodeRow(tokenizer, { text: masked }, 12).ids]).toContain(MASK);
    }
  });

  it('answer with the likeliest tokens for each mask of a text', async () => {
    const data = await kind.withoutRows(experiment(), textModel);
    const { example, answer } = kind.ask({ text: '[MASK] cats [MASK]' }, data, 12);
    const ids = [...example.ids];
    expect(ids).toEqual([CLS, MASK, tokenizer.idOf('cats'), MASK, SEP]);
    // The embedding has one row more than the tokenizer has tokens, which counts for nothing.
    const vocabulary = tokenizer.vocabSize + 1;
    const logits = new Float32Array(ids.length * vocabulary);
    const like = (at: number, id: number, logit: number) => (logits[at * vocabulary + id] = logit);
    like(1, tokenizer.idOf('the')!, 5);
    like(1, tokenizer.idOf('##ing')!, 3);
    like(1, tokenizer.vocabSize, 9);
    like(3, tokenizer.idOf('!')!, 2);
    const { masks } = answer(logits) as { masks: { token: string; probability: number }[][] };
    expect(masks.map((m) => m.length)).toEqual([5, 5]);
    expect(masks.map(([first]) => first.token)).toEqual(['the', '!']);
    expect(masks[0][1].token).toBe('##ing');
    const others = tokenizer.vocabSize - 2;
    expect(masks[0][0].probability).toBeCloseTo(Math.exp(5) / (Math.exp(5) + Math.exp(3) + others), 6);
    for (const [text, length, message] of [
      ['the cats', 12, 'The text has no [MASK].'],
      ['the cats play the [MASK]', 4, 'The first 4 tokens of the text have no [MASK].'],
    ] as const)
      expect(failure('data', () => kind.ask({ text }, data, length))).toContain(message);
  });

  it('need a mask token', async () => {
    const folder = taskLab('masked-language-modeling');
    const json = JSON.parse(readFileSync(join(FIXTURE, 'tokenizer.json'), 'utf8')) as {
      added_tokens: { content: string }[];
      model: { vocab: Record<string, number> };
    };
    json.added_tokens = json.added_tokens.filter((t) => t.content !== '[MASK]');
    delete json.model.vocab['[MASK]'];
    json.model.vocab['<hidden>'] = MASK;
    const path = folder.write('tokenizer.json', JSON.stringify(json));
    const without = experiment({ model: { path: 'model.onnx', tokenizer: path, maxLength: 12 } });
    expect(await rejection('tokenizer', kind.load(without, textModel))).toContain(
      `${path} has no mask token, so tokens cannot be masked.`,
    );
    expect(failure('tokenizer', () => maskingOf(loadTokenizer(path)))).toContain('mask_token');
    folder.write('tokenizer_config.json', JSON.stringify({ mask_token: { content: '<hidden>' } }));
    expect(maskingOf(loadTokenizer(path)).maskId).toBe(MASK);
  });
});

describe('the results of a masked language model', () => {
  it('are perplexity and the share of hidden tokens that are the most likely ones', () => {
    const example = maskedText(text(10), masking, 7);
    const [first, second] = chosen(example);
    const logits = new Float32Array(example.size * tokenizer.vocabSize);
    logits[first * tokenizer.vocabSize + example.whole[first]] = 50;
    logits[second * tokenizer.vocabSize + MASK] = 1e-4;
    const scorer = kind.scorer();
    scorer.add(example, logits);
    expect(scorer.metrics(Math.log(4))).toEqual({
      perplexity: expect.closeTo(4, 9) as number,
      tokenAccuracy: 0.5,
      examples: 1,
    });
    const kept = kind.keep(example, logits);
    expect(kept).toHaveLength(4);
    expect([kept[0], kept[1]]).toEqual([-0, 50]);
    expect(kept[2]).toBeCloseTo(-Math.log(tokenizer.vocabSize), 3);
  });
});
