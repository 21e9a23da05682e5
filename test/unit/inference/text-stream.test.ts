import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { TextStream } from '../../../src/inference/generate';

const LANGUAGE = resolve('test/fixtures/playground/language');
const tokenizer = loadTokenizer(join(LANGUAGE, 'tokenizer.json'));

/** The text in pieces, as streamed. */
function pieces(prompt: string, rest: string): { told: string[]; whole: string } {
  const ids = tokenizer.encode(prompt, 1000).ids;
  const stream = new TextStream(tokenizer.decode, ids);
  const all = [...ids];
  const told: string[] = [];
  for (const id of tokenizer.encode(rest, 1000).ids) {
    all.push(id);
    told.push(stream.more(all));
  }
  return { told, whole: stream.text(all) };
}

describe('a streamed text', () => {
  it.each([' is cold.', ' schmeckt nach Äpfeln 🍎.', 'überall Sonne ☀ — 24 °C'])(
    'is complete: %s',
    (rest) => {
      const { told, whole } = pieces('Das Wetter', rest);
      expect(told.join('')).toBe(rest);
      expect(whole).toBe(rest);
      // A partial character is never shown.
      expect(told.join('')).not.toContain('\ufffd');
    },
  );

  it('holds a character back until its last byte arrives', () => {
    const { told } = pieces('x', '🍎');
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toBe('🍎');
    expect(told.slice(0, -1).every((t) => t === '')).toBe(true);
  });

  it('keeps the leading space that a tokenizer drops at the start of a text', () => {
    // Decodes like SentencePiece, where the first space belongs to the word-start marker.
    const words = ['▁a', '▁b', '▁c'];
    const decode = (ids: readonly number[]) =>
      ids
        .map((i) => words[i])
        .join('')
        .replaceAll('▁', ' ')
        .trimStart();
    const stream = new TextStream(decode, [0]);
    expect([stream.more([0, 1]), stream.more([0, 1, 2])]).toEqual([' b', ' c']);
    expect(stream.text([0, 1, 2])).toBe(' b c');
  });

  it('waits if the decoded text no longer starts with the streamed one, and is right in the end', () => {
    const texts = ['', 'a', 'a .', 'a. b'];
    const stream = new TextStream((ids) => texts[ids.length], []);
    expect([1, 2, 3].map((n) => stream.more(new Array<number>(n).fill(0)))).toEqual(['a', ' .', '']);
    expect(stream.text([0, 0, 0])).toBe('a. b');
  });

  it('omits special tokens', () => {
    const ids = tokenizer.encode('A café', 100).ids;
    expect(tokenizer.decode([...ids, tokenizer.idOf('<|endoftext|>')!])).toBe('A café');
    expect(tokenizer.decode([])).toBe('');
  });
});
