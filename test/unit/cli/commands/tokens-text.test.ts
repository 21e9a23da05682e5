import { describe, expect, it } from 'vitest';
import { tokensText } from '../../../../src/cli/commands/tokens/tokens-text';
import { tokenRow, tokensOf } from '../../protocol/token-rows';

const bodyOf = (text: string): string => text.split('\n\n')[1]!;

describe('a row of tokens in a terminal', () => {
  it('has brackets around what counts, and borders between tokens', () => {
    const row = tokenRow({ tokens: tokensOf('a', ' b', '* c', '*d', ' e', '* f') });
    expect(bodyOf(tokensText(row, false))).toBe('a│ b⟦ c│d⟧ e⟦ f⟧');
  });

  it('marks answers, weights, the place of what was cut off, and padding', () => {
    const row = tokenRow({
      tokens: [
        { id: 1, text: '[CLS]', special: true },
        { id: 2, text: ' Paris', counts: true, label: 'B-LOC', weight: 2.5 },
        { id: 3, text: ' [SEP]', special: true },
      ],
      cut: [{ at: 2, count: 2, counting: 2, tokens: tokensOf(' is', ' big') }],
      batch: { step: 1, examples: 2, length: 5, pad: { id: 0, text: '[PAD]' } },
    });
    const text = tokensText(row, false);
    expect(bodyOf(text)).toBe('[CLS]⟦ Paris→B-LOC×2.5⟧✂2 [SEP]│[PAD] × 2');
    expect(text).toContain('\n✂ 2 tokens: is big\n');
    expect(text).toContain('⟦⟧ counts in the loss · → to be answered with · × weight · ✂ cut off\n');
  });

  it('begins a line for each text of a packed row', () => {
    const row = tokenRow({
      tokens: [...tokensOf('x', '*y'), ...tokensOf('a', '*b')],
      packed: {
        row: 1,
        rows: 2,
        own: 1,
        texts: [
          { name: '3', begin: 0, size: 2 },
          { name: '12', begin: 2, size: 2 },
        ],
      },
    });
    expect(bodyOf(tokensText(row, false))).toBe('── 3\nx⟦y⟧\n── 12 (this row)\na⟦b⟧');
  });

  it.each([false, true])('never lets a text control the terminal, with colors: %s', (colors) => {
    const evil = '\x1b[2J\u202e\x07';
    const row = tokenRow({
      file: `/data/${evil}.jsonl`,
      tokens: [{ id: 1, text: evil, counts: true, label: evil }],
      cut: [{ at: 1, count: 1, counting: 0, tokens: [{ id: 2, text: evil }] }],
      label: evil,
      leftOut: { reason: evil, fails: true },
    });
    const text = tokensText(row, colors);
    expect(text).not.toContain('\x1b[2J');
    for (const control of ['\u202e', '\x07']) expect(text).not.toContain(control);
    // Only these sequences of colors.
    const sequences = text.split('\x1b').slice(1);
    expect(sequences.filter((rest) => !/^\[[\d;]+m/.test(rest))).toEqual([]);
    expect(sequences.length > 0).toBe(colors);
  });
});
