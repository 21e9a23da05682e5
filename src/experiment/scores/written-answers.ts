import type { AnswerSettings } from '../scoring';

/**
 * The expression of flexible-extract in lm-evaluation-harness's gsm8k (gsm8k.yaml, RegexFilter in
 * filters/extraction.py): numbers of one digit, and longer ones with signs of dollars, points and commas.
 */
const NUMBERS = /-?[$0-9.,]{2,}|-?[0-9]+/g;

/** The last number of a text, compared as in lm-evaluation-harness's gsm8k: "$1,250." is "1250". Undefined without one. */
export function lastNumber(text: string): string | undefined {
  const found = text.match(NUMBERS)?.at(-1);
  return found === undefined ? undefined : plainNumber(found);
}

/** The characters of a number that is written with separators and a sign of a currency. */
const NUMBER = /^[-$€£¥0-9.,]+$/;

/** Without commas, signs of currencies and a point at the end (regexes_to_ignore of gsm8k.yaml, which has dollars alone). */
const plainNumber = (text: string): string => text.replace(/[,$€£¥]/g, '').replace(/\.$/, '');

/** Python's string.punctuation, which ignore_punctuation of lm-evaluation-harness leaves out. */
const PUNCTUATION = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;

/**
 * An answer as "exact-match" compares it: without white space around it. A number loses its separators; any other text its
 * case and punctuation, if the settings say so (exact_match in lm-evaluation-harness's api/metrics.py).
 */
export function comparedAnswer(
  text: string,
  { ignoreCase, ignorePunctuation }: Pick<AnswerSettings, 'ignoreCase' | 'ignorePunctuation'> = {},
): string {
  const own = text.trim();
  if (NUMBER.test(own) && /[0-9]/.test(own)) return plainNumber(own);
  const cased = ignoreCase ? own.toLowerCase() : own;
  return ignorePunctuation ? cased.replace(PUNCTUATION, '').trim() : cased;
}
