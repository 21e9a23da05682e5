import { t } from '../../base/l10n';
import { count, numberText } from '../../base/number-text';
import { namedRow, fileOf } from '../row-place';
import type { RowToken, TokenRow } from '../tokens';

/** "train.csv, line 12" */
export const rowTitle = ({ file, row }: TokenRow): string => namedRow(fileOf(file), row);

/** "training data, row 11 of 120" */
export const rowPosition = ({ split, at, rows }: TokenRow): string =>
  split === 'train'
    ? t('training data, row {0} of {1}', count(at), count(rows))
    : t('validation data, row {0} of {1}', count(at), count(rows));

interface TokenNumbers {
  tokens: number;
  counting: number;
  special: number;
  cut: number;
  /** Those of `cut` that would count in the loss. */
  cutCounting: number;
  padding: number;
}

/** The tokens of the asked row, also where it is packed with others. */
export function ownTokens({ tokens, packed }: TokenRow): RowToken[] {
  if (!packed) return tokens;
  const { begin, size } = packed.texts[packed.own]!;
  return tokens.slice(begin, begin + size);
}

export function tokenNumbers(row: TokenRow): TokenNumbers {
  const own = ownTokens(row);
  const sum = (of: (run: TokenRow['cut'][number]) => number) => row.cut.reduce((n, run) => n + of(run), 0);
  return {
    tokens: own.length,
    counting: own.filter((token) => token.counts).length,
    special: own.filter((token) => token.special).length,
    cut: sum((run) => run.count),
    cutCounting: sum((run) => run.counting),
    padding: row.batch ? Math.max(0, row.batch.length - row.tokens.length) : 0,
  };
}

/** "38 of 112 tokens count in the loss; 14 were cut off." */
export function tokensSummary(row: TokenRow): string {
  const { tokens, counting } = tokenNumbers(row);
  const cut = cutText(row);
  const first = row.perToken
    ? counting === 1
      ? t('1 of {0} tokens counts in the loss', count(tokens))
      : t('{0} of {1} tokens count in the loss', count(counting), count(tokens))
    : tokens === 1
      ? t('The model reads 1 token')
      : t('The model reads {0} tokens', count(tokens));
  const sentence = cut === undefined ? `${first}.` : `${first}; ${cut}.`;
  return row.perToken || row.leftOut ? sentence : `${wholeText(row)} ${sentence}`;
}

function cutText(row: TokenRow): string | undefined {
  const { cut, cutCounting } = tokenNumbers(row);
  if (cut === 0) return undefined;
  const all = row.cutMore
    ? t('more than {0} were cut off', count(cut))
    : cut === 1
      ? t('1 was cut off')
      : t('{0} were cut off', count(cut));
  return cutCounting === 0 ? all : t('{0}, of which {1} would count', all, count(cutCounting));
}

/** "The text counts in the loss as a whole, with the label positive." */
function wholeText({ answer, label = '', weight }: TokenRow): string {
  const given =
    answer === 'number'
      ? t('the number {0}', label)
      : answer === 'labels'
        ? label === ''
          ? t('no label')
          : t('the labels {0}', label)
        : t('the label {0}', label);
  return weight === undefined
    ? t('The text counts in the loss as a whole, with {0}.', given)
    : t('The text counts in the loss as a whole, with {0} and the weight {1}.', given, numberText(weight));
}

/** Further facts, each a sentence. */
export function tokensFacts(row: TokenRow): string[] {
  const { special, padding } = tokenNumbers(row);
  const { batch, packed, split } = row;
  const facts: string[] = [];
  if (special > 0)
    facts.push(special === 1 ? t('1 is a special token.') : t('{0} are special tokens.', count(special)));
  if (packed) {
    const others = packed.texts.length - 1;
    const place = [count(packed.row), count(packed.rows)];
    facts.push(
      others === 0
        ? t('It is alone in row {0} of {1} (training.packing).', ...place)
        : others === 1
          ? t('It shares row {0} of {1} with 1 other text (training.packing).', ...place)
          : t('It shares row {0} of {1} with {2} other texts (training.packing).', ...place, count(others)),
    );
  }
  if (batch) {
    const of = batch.examples === 1 ? t('1 example') : t('{0} examples', count(batch.examples));
    facts.push(
      split === 'train'
        ? t(
            'In the first epoch it is in step {0}, in a batch of {1} padded to {2} tokens: {3} of padding.',
            count(batch.step),
            of,
            count(batch.length),
            count(padding),
          )
        : t(
            'An evaluation reads it in batch {0}, of {1} padded to {2} tokens: {3} of padding.',
            count(batch.step),
            of,
            count(batch.length),
            count(padding),
          ),
    );
  }
  if (row.varies)
    facts.push(t('Each epoch draws other tokens to predict; these are those of the first one.'));
  return facts;
}

/** The reason why nothing is learned from a row, and the next step; undefined if something is. */
export function tokensWarning(row: TokenRow): { message: string; hint: string } | undefined {
  const { leftOut, perToken, weight, maxLength } = row;
  const { counting, cut } = tokenNumbers(row);
  if (leftOut)
    return {
      message: `${t('Nothing in this row counts in the loss: {0}.', leftOut.reason)} ${
        leftOut.fails
          ? t('Training stops at it (data.onBadRow is "fail").')
          : t('Training skips it (data.onBadRow is "skip").')
      }`,
      hint: whereToLook(cut, row.answer === 'text', maxLength),
    };
  if (perToken && counting === 0)
    return {
      message: t('No token of this row counts in the loss, so nothing is learned from it.'),
      hint: whereToLook(cut, row.answer === 'text', maxLength),
    };
  if (weight === 0)
    return {
      message: t('The weight of this row is 0, so nothing is learned from it.'),
      hint: t('Change task.classWeights.'),
    };
  return undefined;
}

function whereToLook(cut: number, isWritten: boolean, maxLength: number): string {
  if (cut > 0)
    return t('Raise model.maxLength (now {0}), or shorten what precedes the answer.', count(maxLength));
  return isWritten
    ? t('Check the columns of the experiment, the roles of messages, and the chat template.')
    : t('Check the text, and the columns of the experiment.');
}

/** A token in words, for a tooltip and a screen reader. */
export function tokenWords(
  { id, text, counts, special, label, weight }: RowToken,
  perToken: boolean,
): string {
  return [
    text === undefined ? t('part of a character') : t('“{0}”', visibleText(text)),
    t('id {0}', id),
    ...(special ? [t('special token')] : []),
    ...(perToken ? [counts ? t('counts in the loss') : t('does not count')] : []),
    ...(label === undefined ? [] : [t('to be answered with {0}', label)]),
    ...(weight === undefined ? [] : [t('weight {0}', numberText(weight))]),
  ].join(', ');
}

/** White space that would be invisible, as signs. */
export const visibleText = (text: string): string =>
  text
    .replace(/\n/g, '↵')
    .replace(/\r/g, '␍')
    .replace(/\t/g, '⇥')
    .replace(/^ +| +$/g, (s) => '␣'.repeat(s.length)) || '∅';
