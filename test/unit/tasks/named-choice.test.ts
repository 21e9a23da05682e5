import { describe, expect, it } from 'vitest';
import { namedChoice } from '../../../src/tasks/choice-text';

describe('the choice that a text names', () => {
  it('is the first one, as in LLM-Adapters', () => {
    const named = (text: string, ...choices: string[]) => namedChoice(text, choices, false);
    expect(named('the correct answer is answer3', 'answer1', 'answer2', 'answer3')).toBe(2);
    expect(named('false, not true', 'true', 'false')).toBe(1);
    expect(named('untrue', 'true', 'false')).toBe(0);
    expect(named('True', 'true', 'false')).toBeUndefined();
    expect(named('', 'true', 'false')).toBeUndefined();
  });

  it('is a whole word where that is asked for', () => {
    const named = (text: string, ...choices: string[]) => namedChoice(text, choices, true);
    expect(named('the answer is b', 'a', 'b')).toBe(1);
    expect(named('untrue or false', 'true', 'false')).toBe(1);
    expect(named('Zürich', 'rich', 'Z')).toBeUndefined();
  });

  it('is the longest of those that begin alike, and may have characters of regular expressions', () => {
    expect(namedChoice('answer12', ['answer1', 'answer12'], false)).toBe(1);
    expect(namedChoice('It costs $5 (or so).', ['$4', '$5 (or so)', '.*'], false)).toBe(1);
    expect(namedChoice('a-b/c', ['a-b/c', 'a'], false)).toBe(0);
  });
});
