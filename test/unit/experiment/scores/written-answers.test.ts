import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { comparedAnswer, lastNumber } from '../../../../src/experiment/scores/written-answers';

/** Verdicts of lm-evaluation-harness's gsm8k. */
const CASES = JSON.parse(readFileSync(resolve('test/fixtures/scores/gsm8k.json'), 'utf8')) as {
  text: string;
  answer: string;
  strict: boolean;
  flexible: boolean;
  lastNumber: string | null;
}[];

const afterHashes = (text: string) => {
  const found = /#### (-?[0-9.,]+)/.exec(text)?.[1];
  return found === undefined ? undefined : comparedAnswer(found);
};

describe('answers in written texts', () => {
  it('are right where lm-evaluation-harness says so, by the last number and after ####', () => {
    for (const { text, answer, ...wanted } of CASES) {
      const [strict, last] = [afterHashes(text), lastNumber(text)];
      expect([text, last ?? null]).toEqual([text, wanted.lastNumber]);
      expect([text, answer, last === lastNumber(answer)]).toEqual([text, answer, wanted.flexible]);
      const isRight = strict !== undefined && strict === afterHashes(answer);
      expect([text, answer, isRight]).toEqual([text, answer, wanted.strict]);
    }
    expect(CASES.some((c) => c.strict && !c.flexible)).toBe(true);
    expect(CASES.some((c) => !c.strict && c.flexible)).toBe(true);
  });

  it('are compared without white space around them and, as numbers, without separators', () => {
    expect(comparedAnswer('  Paris \n')).toBe('Paris');
    expect(comparedAnswer('€1,250.00')).toBe('1250.00');
    expect(comparedAnswer(' -$3. ')).toBe('-3');
    expect(comparedAnswer('Paris, France.')).toBe('Paris, France.');
    expect(comparedAnswer('...')).toBe('...');
  });

  it('are compared without case and punctuation if the settings say so, but keep the signs of numbers', () => {
    const ignoring = { ignoreCase: true, ignorePunctuation: true };
    expect(comparedAnswer('PARIS, France. ', ignoring)).toBe('paris france');
    expect(comparedAnswer('Yes!', { ignoreCase: true })).toBe('yes!');
    expect(comparedAnswer('-1.5', ignoring)).toBe('-1.5');
  });
});
