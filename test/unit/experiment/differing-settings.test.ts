import { describe, expect, it } from 'vitest';
import { differing } from '../../../src/experiment/differing-settings';
import { duplicateText } from '../../../src/runs/experiment/use-settings';

describe('the settings in which two experiments differ', () => {
  it('leave out what is equal, in any order', () => {
    const a = {
      name: 'x',
      training: { seed: 1, rate: 0.1 },
      adapter: { rank: 2, at: ['q'] },
      data: { p: 1, q: 2 },
    };
    const b = {
      training: { rate: 0.1, seed: 2 },
      adapter: { at: ['q', 'v'], rank: 2 },
      data: { q: 2, p: 1 },
    };
    expect(differing(a, b)).toEqual({ name: 'x', training: { seed: 1 }, adapter: { at: ['q'] } });
    expect(differing(b, a)).toEqual({ training: { seed: 2 }, adapter: { at: ['q', 'v'] } });
    expect(differing(a, a)).toEqual({});
  });

  it('include a section that one side lacks', () => {
    expect(differing({ a: { b: 1 } }, {})).toEqual({ a: { b: 1 } });
    expect(differing({ a: { b: 1 }, c: 1 }, { a: { b: 1, d: 2 }, c: 1 })).toEqual({ a: {} });
  });
});

describe('a duplicated experiment', () => {
  it('keeps its comments, and its own name becomes the new one', () => {
    const text = '{ // mine\n  "name": "old", /* here */\n  "model": { "name": "old" },\n}\n';
    expect(duplicateText(text, 'a "new" one')).toBe(text.replace('"old"', '"a \\"new\\" one"'));
    expect(duplicateText('{ "model": {} } // x', 'new')).toBe('{ "model": {} } // x');
    expect(duplicateText('{ broken', 'new')).toBe('{ broken');
  });
});
