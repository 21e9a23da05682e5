import { describe, expect, it } from 'vitest';
import {
  ownTokens,
  rowPosition,
  rowTitle,
  tokensFacts,
  tokensSummary,
  tokensWarning,
  tokenWords,
} from '../../../../src/protocol/reports/tokens-report';
import { tokenRow, tokensOf } from '../token-rows';

const CUT = { at: 7, count: 14, counting: 0, tokens: tokensOf(' more') };

describe('a row of tokens in words', () => {
  it('says where the row is', () => {
    expect(rowTitle(tokenRow())).toBe('train.jsonl, line 12');
    expect(rowPosition(tokenRow())).toBe('training data, row 12 of 120');
    expect(rowPosition(tokenRow({ split: 'validation' }))).toBe('validation data, row 12 of 120');
  });

  it('says how many tokens count and how many were cut off', () => {
    expect(tokensSummary(tokenRow())).toBe('3 of 7 tokens count in the loss.');
    expect(tokensSummary(tokenRow({ cut: [CUT] }))).toBe('3 of 7 tokens count in the loss; 14 were cut off.');
    expect(tokensSummary(tokenRow({ cut: [{ ...CUT, counting: 9 }] }))).toBe(
      '3 of 7 tokens count in the loss; 14 were cut off, of which 9 would count.',
    );
    expect(tokensSummary(tokenRow({ cut: [{ ...CUT, count: 1 }] }))).toContain('1 was cut off.');
    expect(tokensSummary(tokenRow({ cut: [CUT], cutMore: true }))).toContain('more than 14 were cut off.');
    expect(tokensSummary(tokenRow({ tokens: tokensOf('a', '*b') }))).toBe(
      '1 of 2 tokens counts in the loss.',
    );
  });

  it('says what counts of a text that counts as a whole', () => {
    const whole = { perToken: false, answer: 'label', label: 'pets', tokens: tokensOf('a', 'b') } as const;
    expect(tokensSummary(tokenRow({ ...whole, weight: 2.5 }))).toBe(
      'The text counts in the loss as a whole, with the label pets and the weight 2.5. The model reads 2 tokens.',
    );
    expect(tokensSummary(tokenRow({ ...whole, answer: 'number', label: '4.2' }))).toContain(
      'with the number 4.2.',
    );
    expect(tokensSummary(tokenRow({ ...whole, answer: 'labels', label: '' }))).toContain('with no label.');
    expect(tokensSummary(tokenRow({ ...whole, answer: 'labels', label: 'a, b' }))).toContain(
      'with the labels a, b.',
    );
  });

  it('counts the asked text of a packed row alone', () => {
    const row = tokenRow({
      tokens: [...tokensOf('x', '*y'), ...tokensOf('a', '*b', '*c')],
      packed: {
        row: 4,
        rows: 9,
        own: 1,
        texts: [
          { name: '3', begin: 0, size: 2 },
          { name: '12', begin: 2, size: 3 },
        ],
      },
    });
    expect(ownTokens(row).map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    expect(tokensSummary(row)).toBe('2 of 3 tokens count in the loss.');
    expect(tokensFacts(row)).toContain('It shares row 4 of 9 with 1 other text (training.packing).');
  });

  it('says in which step the row is, and how much of its batch is padding', () => {
    const batch = { step: 3, examples: 8, length: 12, pad: { id: 0, text: '[PAD]' } };
    expect(tokensFacts(tokenRow({ batch }))).toEqual([
      'In the first epoch it is in step 3, in a batch of 8 examples padded to 12 tokens: 5 of padding.',
    ]);
    expect(tokensFacts(tokenRow({ batch, split: 'validation' }))[0]).toContain(
      'An evaluation reads it in batch 3',
    );
  });

  it('warns where nothing is learned, with the next step', () => {
    expect(tokensWarning(tokenRow())).toBeUndefined();
    const none = { tokens: tokensOf('a', 'b') };
    expect(tokensWarning(tokenRow(none))!.message).toBe(
      'No token of this row counts in the loss, so nothing is learned from it.',
    );
    const leftOut = { reason: 'no token of the answer is left within model.maxLength', fails: false };
    expect(tokensWarning(tokenRow({ ...none, leftOut, cut: [CUT] }))).toEqual({
      message:
        'Nothing in this row counts in the loss: no token of the answer is left within model.maxLength. Training skips it (data.onBadRow is "skip").',
      hint: 'Raise model.maxLength (now 128), or shorten what precedes the answer.',
    });
    expect(tokensWarning(tokenRow({ ...none, leftOut }))!.hint).toContain('chat template');
    expect(tokensWarning(tokenRow({ perToken: false, weight: 0, label: 'x' }))!.hint).toContain(
      'classWeights',
    );
  });

  it('describes a token with its id, its answer and its weight', () => {
    expect(
      tokenWords({ id: 5, text: ' cat', counts: true, label: 'B-PET', weight: 2, special: true }, true),
    ).toBe('“␣cat”, id 5, special token, counts in the loss, to be answered with B-PET, weight 2');
    expect(tokenWords({ id: 5, text: '\n' }, true)).toBe('“↵”, id 5, does not count');
    expect(tokenWords({ id: 5 }, false)).toBe('part of a character, id 5');
    expect(tokenWords({ id: 5, text: '' }, false)).toBe('“∅”, id 5');
  });
});
