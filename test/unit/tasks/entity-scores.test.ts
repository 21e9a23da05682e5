import { describe, expect, it } from 'vitest';
import { spanScores } from './tagged';

const LABELS = ['B', 'I', 'E', 'S'].flatMap((mark) => ['PER', 'LOC', 'ORG'].map((type) => `${mark}-${type}`));

type Case = [
  name: string,
  truth: string,
  predicted: string,
  score: [precision: number, recall: number, f1: number],
];

/**
 * The definition of the CoNLL-2000 script conlleval, which is seqeval's default mode, by hand. An entity is its words and
 * its type. The comments list the true entities, the predicted ones, and those that are both; F1 is
 * 2 · both / (true + predicted).
 */
const CASES: Case[] = [
  // PER 0-2, LOC 3-4 | PER 0-2, LOC 3-4 | 2
  ['IOB2, all right', 'B-PER I-PER O B-LOC', 'B-PER I-PER O B-LOC', [1, 1, 1]],
  // PER 0-2, LOC 3-4 | PER 0-1, LOC 3-4 | 1: half of two; a part of an entity is not the entity.
  ['IOB2, one too short', 'B-PER I-PER O B-LOC', 'B-PER O O B-LOC', [1 / 2, 1 / 2, 1 / 2]],
  // PER 0-1, LOC 2-3 | PER 0-2, LOC 2-3 | 1
  ['IOB2, one too long', 'B-PER O B-LOC', 'B-PER I-PER B-LOC', [1 / 2, 1 / 2, 1 / 2]],
  // PER 0-2, LOC 3-4, ORG 5-6 | PER 0-2 | 1
  [
    'IOB2, two missed',
    'B-PER I-PER O B-LOC O B-ORG',
    'B-PER I-PER O O O O',
    [1, 1 / 3, 1 / 2], // 2 · 1 / (3 + 1)
  ],
  // PER 0-1 | PER 0-1, LOC 2-3, ORG 3-4 | 1
  ['IOB2, two spurious', 'B-PER O O O', 'B-PER O B-LOC B-ORG', [1 / 3, 1, 1 / 2]],
  // PER 0-2 | LOC 0-2 | 0
  ['the right words with another type', 'B-PER I-PER', 'B-LOC I-LOC', [0, 0, 0]],
  // PER 0-2, LOC 3-4 | PER 0-2, LOC 3-4 | 2: without a B before it, I starts an entity.
  ['IOB1 beside IOB2', 'B-PER I-PER O B-LOC', 'I-PER I-PER O I-LOC', [1, 1, 1]],
  // PER 0-1, PER 1-3 | PER 0-3 | 0: in IOB1, B separates adjacent entities of one type.
  ['IOB1, adjacent and joined', 'I-PER B-PER I-PER', 'I-PER I-PER I-PER', [0, 0, 0]],
  // PER 0-1, PER 1-2, PER 2-3 | PER 0-1, PER 1-3 | 1
  [
    'adjacent entities, two joined',
    'B-PER B-PER B-PER',
    'B-PER B-PER I-PER',
    [1 / 2, 1 / 3, 2 / 5], // 2 · 1 / (3 + 2)
  ],
  // PER 0-1, LOC 1-2 | PER 0-1, LOC 1-2 | 2: a change of type ends an entity and starts the next.
  ['a change of type inside', 'B-PER B-LOC', 'B-PER I-LOC', [1, 1, 1]],
  // PER 0-4 | PER 0-2, LOC 2-3, PER 3-4 | 0: the same type after another is a new entity.
  ['another type in the middle', 'B-PER I-PER I-PER I-PER', 'B-PER I-PER I-LOC I-PER', [0, 0, 0]],
  // PER 0-1, LOC 1-3 | PER 0-1, LOC 1-2, ORG 2-3 | 1
  ['two changes of type', 'B-PER B-LOC I-LOC', 'B-PER I-LOC I-ORG', [1 / 3, 1 / 2, 2 / 5]],
  // PER 0-3, LOC 3-4 | PER 0-3, LOC 3-4 | 2
  ['IOBES, all right', 'B-PER I-PER E-PER S-LOC', 'B-PER I-PER E-PER S-LOC', [1, 1, 1]],
  // PER 0-2, LOC 2-3 | PER 0-2, LOC 2-3 | 2: IOB2 and IOBES mark the same entities.
  ['IOBES beside IOB2', 'B-PER I-PER B-LOC', 'B-PER E-PER S-LOC', [1, 1, 1]],
  // PER 0-2, PER 2-4 | PER 0-2, PER 2-4 | 2: after E, an I starts an entity.
  ['IOBES, I after E', 'B-PER E-PER B-PER E-PER', 'B-PER E-PER I-PER E-PER', [1, 1, 1]],
  // PER 0-3 | PER 0-1, PER 1-3 | 0: S is a whole entity, so the I after it starts another.
  ['IOBES, I after S', 'B-PER I-PER E-PER', 'S-PER I-PER E-PER', [0, 0, 0]],
  // PER 0-1, PER 1-2 | PER 0-1, PER 1-2 | 2: E without a beginning is an entity of one word.
  ['IOBES, only ends', 'S-PER S-PER', 'E-PER E-PER', [1, 1, 1]],
  // PER 0-1, PER 2-3 | PER 0-1, PER 2-3 | 2: O ends an entity, whatever follows.
  ['IOBES, an O inside', 'S-PER O S-PER', 'B-PER O E-PER', [1, 1, 1]],
  // PER 0-2 | none | 0: a precision of 0 / 0 is 0.
  ['nothing predicted', 'B-PER I-PER O', 'O O O', [0, 0, 0]],
  // none | LOC 1-2 | 0: a recall of 0 / 0 is 0.
  ['no entity in the data', 'O O O', 'O B-LOC O', [0, 0, 0]],
  // none | none | 0
  ['no entity at all', 'O O O', 'O O O', [0, 0, 0]],
];

describe('the scores of entities, by hand', () => {
  it.each(CASES)('%s', (_, truth, predicted, [precision, recall, f1]) => {
    const metrics = spanScores([...LABELS, 'O'], [truth, predicted]);
    expect(metrics.entityPrecision).toBeCloseTo(precision, 12);
    expect(metrics.entityRecall).toBeCloseTo(recall, 12);
    expect(metrics.entityF1).toBeCloseTo(f1, 12);
  });

  it('count all entities of all sentences alike', () => {
    // True 1 + 3 + 0, predicted 1 + 1 + 1, both 1 + 1 + 0. The mean over sentences would be (1 + 1/2 + 0) / 3.
    const metrics = spanScores(
      [...LABELS, 'O'],
      ['B-PER', 'B-PER'],
      ['B-PER B-LOC B-ORG', 'B-PER O O'],
      ['O', 'S-LOC'],
    );
    expect(metrics.entityPrecision).toBeCloseTo(2 / 3, 12);
    expect(metrics.entityRecall).toBeCloseTo(2 / 4, 12);
    expect(metrics.entityF1).toBeCloseTo(4 / 7, 12);
  });

  it('do not join entities of two sentences', () => {
    // PER 0-1 and PER 0-1 | the same | 2, although the tags alone would be one PER 0-2.
    const metrics = spanScores([...LABELS, 'O'], ['B-PER', 'I-PER'], ['B-PER', 'I-PER']);
    expect(metrics.entityF1).toBe(1);
  });
});
