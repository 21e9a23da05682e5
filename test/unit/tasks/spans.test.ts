import { describe, expect, it } from 'vitest';
import { spanPredictions, spanTypes, spanScorer, spansOf, typeOf } from '../../../src/tasks/spans';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/answers/found';
import { predicting, spanScores, TAGS, tagged } from './tagged';

/** "PER 0-2": words 0 and 1. */
const found = (tags: string) =>
  spansOf(tags.split(' ').filter(Boolean)).map((s) => `${s.type} ${s.start}-${s.end}`);

describe('the spans of tags', () => {
  it.each([
    ['', []],
    ['O', []],
    ['O O O', []],
    // IOB2: every span begins with B.
    ['B-PER', ['PER 0-1']],
    ['B-PER I-PER O B-LOC', ['PER 0-2', 'LOC 3-4']],
    ['O O O B-MISC I-MISC I-MISC O', ['MISC 3-6']],
    ['B-PER B-PER I-PER B-PER', ['PER 0-1', 'PER 1-3', 'PER 3-4']],
    ['B-PER B-LOC', ['PER 0-1', 'LOC 1-2']],
    ['O B-PER I-PER', ['PER 1-3']],
    // IOB1: B only where a span follows one of the same type.
    ['I-PER I-PER O I-LOC', ['PER 0-2', 'LOC 3-4']],
    ['I-PER B-PER', ['PER 0-1', 'PER 1-2']],
    ['I-PER I-PER B-PER I-PER', ['PER 0-2', 'PER 2-4']],
    ['I-PER I-LOC', ['PER 0-1', 'LOC 1-2']],
    ['I-PER B-LOC I-LOC', ['PER 0-1', 'LOC 1-3']],
    // A change of type ends a span and starts another.
    ['B-PER I-LOC', ['PER 0-1', 'LOC 1-2']],
    ['B-PER I-PER I-LOC I-PER', ['PER 0-2', 'LOC 2-3', 'PER 3-4']],
    ['O I-PER', ['PER 1-2']],
    // IOBES
    ['S-PER', ['PER 0-1']],
    ['B-PER E-PER', ['PER 0-2']],
    ['B-PER I-PER E-PER S-LOC O S-PER', ['PER 0-3', 'LOC 3-4', 'PER 5-6']],
    ['S-PER S-PER', ['PER 0-1', 'PER 1-2']],
    ['B-PER E-PER B-PER E-PER', ['PER 0-2', 'PER 2-4']],
    ['E-PER I-PER', ['PER 0-1', 'PER 1-2']],
    ['E-PER E-PER', ['PER 0-1', 'PER 1-2']],
    ['I-PER E-PER I-PER', ['PER 0-2', 'PER 2-3']],
    ['S-PER I-PER E-PER', ['PER 0-1', 'PER 1-3']],
    ['B-PER E-LOC', ['PER 0-1', 'LOC 1-2']],
    ['B-PER S-PER', ['PER 0-1', 'PER 1-2']],
    ['B-PER O E-PER', ['PER 0-1', 'PER 2-3']],
    // BILOU is IOBES with other letters.
    ['U-PER', ['PER 0-1']],
    ['B-PER I-PER L-PER U-LOC O U-PER', ['PER 0-3', 'LOC 3-4', 'PER 5-6']],
    ['B-PER L-PER L-PER', ['PER 0-2', 'PER 2-3']],
    ['U-PER I-PER L-PER', ['PER 0-1', 'PER 1-3']],
    ['B-PER U-PER', ['PER 0-1', 'PER 1-2']],
    // Types
    ['I-ORG-COMPANY B-組織 I-組織', ['ORG-COMPANY 0-1', '組織 1-3']],
    ['B-B I-B B-O', ['B 0-2', 'O 2-3']],
    // Letters without a type: seqeval's test_get_entities_with_only_IOB.
    ['O O O B I I O', ['_ 3-6']],
    ['B I O B B', ['_ 0-2', '_ 3-4', '_ 4-5']],
    ['S B E U', ['_ 0-1', '_ 1-3', '_ 3-4']],
    ['B- I-', ['_ 0-2']],
    // Tags without letters, as parts of speech: one span while they are the same.
    ['O MISC MISC O PER PER', ['MISC 1-3', 'PER 4-6']],
    ['NOUN VERB VERB BANK', ['NOUN 0-1', 'VERB 1-3', 'BANK 3-4']],
    ['b-per o', ['b-per 0-1', 'o 1-2']],
  ])('%s', (tags, spans) => expect(found(tags)).toEqual(spans));

  it('have the types that the tags name', () => {
    expect(['O', 'B-PER', 'L-ORG-X', 'NOUN', 'B', 'B-'].map(typeOf)).toEqual([
      undefined,
      'PER',
      'ORG-X',
      'NOUN',
      '_',
      '_',
    ]);
    expect(spanTypes(['O', 'I-PER', 'B-LOC', 'B-PER', 'S-10', 'E-9'])).toEqual(['10', '9', 'LOC', 'PER']);
    expect(spanTypes(['O'])).toEqual([]);
  });
});

describe('the scores of spans', () => {
  it('match the README of seqeval', () => {
    const labels = ['B-MISC', 'B-PER', 'I-MISC', 'I-PER', 'O'];
    expect(
      spanScores(
        labels,
        ['O O O B-MISC I-MISC I-MISC O', 'O O B-MISC I-MISC I-MISC I-MISC O'],
        ['B-PER I-PER O', 'B-PER I-PER O'],
      ),
    ).toEqual({ entityF1: 0.5, entityPrecision: 0.5, entityRecall: 0.5, tagAccuracy: 0.8, examples: 2 });
    // The default mode, that of conlleval: test_conll_f1score.
    const org = ['B-ORG', 'I-ORG', 'O'];
    expect(spanScores(org, ['B-ORG I-ORG', 'I-ORG I-ORG'])).toMatchObject({ entityF1: 1, tagAccuracy: 0.5 });
  });

  it('are over all sentences, and a span is right only with exact words and type', () => {
    const metrics = spanScores(
      TAGS,
      // One of two found, and one that is none: the same words with another type.
      ['B-PER I-PER O B-LOC', 'B-PER I-PER O B-PER'],
      // A span that is too long is not found.
      ['B-LOC O O', 'B-LOC I-LOC O'],
      // Two of three, and nothing else.
      ['B-PER B-PER B-LOC I-LOC', 'B-PER B-PER O O'],
      ['O O', 'O O'],
    );
    // True: 2 + 1 + 3; predicted: 2 + 1 + 2; both: 1 + 0 + 2.
    expect(metrics.entityPrecision).toBeCloseTo(3 / 5, 12);
    expect(metrics.entityRecall).toBeCloseTo(3 / 6, 12);
    expect(metrics.entityF1).toBeCloseTo((2 * 0.6 * 0.5) / (0.6 + 0.5), 12);
    expect(metrics.tagAccuracy).toBeCloseTo((3 + 2 + 2 + 2) / 13, 12);
    expect(metrics.examples).toBe(4);
  });

  it('do not join spans across sentences', () => {
    expect(spanScores(TAGS, ['O B-PER', 'O B-PER'], ['I-PER O', 'I-PER O'])).toMatchObject({
      entityRecall: 1,
    });
    expect(spanScores(TAGS, ['O B-PER', 'O B-PER'], ['I-PER O', 'B-PER O'])).toMatchObject({
      entityRecall: 1,
    });
  });

  it('are 0 without true spans, without predicted spans, and without both', () => {
    const zero = { entityF1: 0, entityPrecision: 0, entityRecall: 0 };
    expect(spanScores(TAGS, ['O O', 'B-PER O'])).toEqual({ ...zero, tagAccuracy: 0.5, examples: 1 });
    expect(spanScores(TAGS, ['B-PER O', 'O O'])).toEqual({ ...zero, tagAccuracy: 0.5, examples: 1 });
    expect(spanScores(TAGS, ['O O', 'O O'])).toEqual({ ...zero, tagAccuracy: 1, examples: 1 });
    expect(spanScorer({ labels: TAGS }).metrics(0)).toEqual({ ...zero, tagAccuracy: 0, examples: 0 });
  });

  it('treat truncated words as predicted O', () => {
    // The last two words are not read: the second PER is missed, the O is right.
    expect(spanScores(TAGS, ['B-PER O B-PER O', 'B-PER O B-PER O', 2])).toEqual({
      entityPrecision: 1,
      entityRecall: 0.5,
      entityF1: 2 / 3,
      tagAccuracy: 3 / 4,
      examples: 1,
    });
    // A truncated span is not found.
    expect(spanScores(TAGS, ['O B-LOC I-LOC', 'O B-LOC I-LOC', 2])).toMatchObject({
      entityPrecision: 0,
      entityRecall: 0,
      tagAccuracy: 2 / 3,
    });
  });
});

describe('the answers in spans', () => {
  const softmaxOf = (on: number, off: number, classes: number) =>
    Math.exp(on) / (Math.exp(on) + (classes - 1) * Math.exp(off));
  const one = tagged('B-PER I-PER O B-LOC'.split(' '), { row: 1 });
  const two = tagged('O B-LOC I-LOC'.split(' '), { row: 0, read: 2 });
  const split = {
    path: 'v.jsonl',
    rows: [
      { text: 'x', label: '', line: 3 },
      { text: 'y', label: '', line: 7 },
    ],
    dataset: { examples: [one, two], truncatedCount: 1, padId: 0, skipped: [] },
    skipped: [],
  };
  const answers = spanPredictions(split, { labels: TAGS }, [
    predicting(one, 'B-PER I-PER B-PER B-PER'.split(' ')),
    predicting(two, 'O B-LOC I-LOC'.split(' ')),
  ]);

  it('are the true and the predicted spans, by their position in the text', () => {
    expect([answers.answer, answers.labels]).toEqual(['spans', ['LOC', 'PER']]);
    const { example, start, end, label, found } = answers.spans;
    const rows = [...example.keys()].map((i) => [example[i], start[i], end[i], label[i], found[i]]);
    // word0 word1 word2 word3
    expect(rows).toEqual([
      [0, 0, 11, 1, ANSWER_FOUND],
      [0, 12, 17, 1, ANSWER_SPURIOUS],
      [0, 18, 23, 0, ANSWER_MISSED],
      [0, 18, 23, 1, ANSWER_SPURIOUS],
      [1, 6, 11, 0, ANSWER_SPURIOUS],
      [1, 6, 17, 0, ANSWER_MISSED],
    ]);
  });

  it('have the loss and the margin of the words that the model reads', () => {
    const { columns } = answers;
    expect([...columns.line]).toEqual([7, 3]);
    expect([...columns.tokens]).toEqual([10, 6]);
    expect([...columns.cut]).toEqual([0, 1]);
    const right = softmaxOf(2, 0, 5);
    const wrong = (1 - right) / 4;
    // Two words of the first are right, one is O, and one LOC, taken for PER.
    const loss = -(2 * Math.log(right) + 2 * Math.log(wrong)) / 4;
    expect(columns.loss[0]).toBeCloseTo(loss, 4);
    expect(columns.loss[1]).toBeCloseTo(-Math.log(right), 4);
    expect(columns.margin[0]).toBeCloseTo(right - wrong, 5);
    expect(columns.margin[1]).toBeCloseTo(right - wrong, 5);
  });

  it('have the smallest margin of all words', () => {
    const logits = predicting(one, 'B-PER I-PER O B-LOC'.split(' '));
    // The second word: B-PER almost as likely as I-PER.
    logits[one.first[1] * TAGS.length + TAGS.indexOf('B-PER')] = 1.9;
    const alone = { ...split, dataset: { ...split.dataset, examples: [one] } };
    const { columns } = spanPredictions(alone, { labels: TAGS }, [logits]);
    const sum = Math.exp(2) + Math.exp(1.9) + 3;
    expect(columns.margin[0]).toBeCloseTo((Math.exp(2) - Math.exp(1.9)) / sum, 5);
  });
});
