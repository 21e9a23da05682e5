import { describe, expect, it } from 'vitest';
import { beamSearch, type Decoder, greedy, mostLikely } from '../../../../src/training/generation/decoders';

const END = 0;
const ends = new Set([END]);

/** The log-probabilities of tokens 0 to 3 after what was written so far. */
type Table = Record<string, number[]>;
const logits = (table: Table, made: readonly number[]) =>
  Float32Array.from(table[made.join('')] ?? table.other, (p) => Math.log(p));

function run(decoder: Decoder, table: Table, prompt: number) {
  for (let wanted = decoder.wanted(); wanted.length > 0; wanted = decoder.wanted())
    decoder.take(wanted.map((ids) => logits(table, ids.slice(prompt))));
  return decoder.written();
}

/** A table in which the likeliest first token leads to unlikely ones. */
const TRAP: Table = {
  '': [0.01, 0.5, 0.46, 0.03],
  '1': [0.3, 0.25, 0.25, 0.2],
  '2': [0.97, 0.01, 0.01, 0.01],
  other: [0.7, 0.1, 0.1, 0.1],
};

describe('greedy decoding', () => {
  it('takes the likeliest token until a text ends', () => {
    expect(run(greedy({ prompt: [9, 9], maxTokens: 5, ends }), TRAP, 2)).toEqual([1]);
    const never: Table = { other: [0.1, 0.2, 0.3, 0.4] };
    expect(run(greedy({ prompt: [9], maxTokens: 3, ends }), never, 1)).toEqual([3, 3, 3]);
  });
});

describe('beam search', () => {
  const search = (beams: number, maxTokens = 5) => beamSearch({ prompt: [9], maxTokens, ends, beams });

  it('finds a likelier text than greedy decoding', () => {
    expect(run(search(2), TRAP, 1)).toEqual([2]);
    expect(run(search(4), TRAP, 1)).toEqual([2]);
  });

  it('divides by the number of new tokens, the one that ends the text included', () => {
    // Ending at once has −0.6, two more tokens (−0.7 − 0.05 − 0.05) / 3.
    const table: Table = {
      '': [Math.exp(-0.6), Math.exp(-0.9), 0.01, 0.01],
      '1': [0.02, Math.exp(-0.05), 0.01, 0.01],
      '11': [Math.exp(-0.05), 0.02, 0.01, 0.01],
      other: [0.4, 0.3, 0.2, 0.1],
    };
    expect(run(search(2), table, 1)).toEqual([1, 1]);
  });

  it('ends with the best text that has not ended if there are no more tokens', () => {
    const never: Table = { other: [0.001, 0.3, 0.3, 0.399] };
    expect(run(search(2, 3), never, 1)).toEqual([3, 3, 3]);
  });
});

describe('the likeliest continuations', () => {
  it('are those of all texts, best first', () => {
    const [a, b] = [Float32Array.of(1, 5, 3), Float32Array.of(4, 0, 2)];
    const offers = [
      { logits: a, add: 0 },
      { logits: b, add: 0.5 },
    ];
    expect(mostLikely(offers, 3)).toEqual([
      { from: 0, token: 1, score: 5 },
      { from: 1, token: 0, score: 4.5 },
      { from: 0, token: 2, score: 3 },
    ]);
    expect(mostLikely([{ logits: Float32Array.of(2, 2, 2), add: 0 }], 2).map((c) => c.token)).toEqual([0, 1]);
  });
});
