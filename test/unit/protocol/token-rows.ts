import type { RowToken, TokenRow } from '../../../src/protocol/tokens';

/** Tokens by their texts; those after an asterisk count. */
export const tokensOf = (...texts: string[]): RowToken[] =>
  texts.map((text, i) => ({
    id: 10 + i,
    text: text.replace(/^\*/, ''),
    ...(text.startsWith('*') && { counts: true as const }),
  }));

/** A row of a language model with a prompt and an answer. */
export const tokenRow = (more: Partial<TokenRow> = {}): TokenRow => ({
  kind: 'tokens',
  split: 'train',
  file: '/data/train.jsonl',
  row: 12,
  name: '12',
  previous: '11',
  next: '13',
  at: 12,
  rows: 120,
  answer: 'text',
  perToken: true,
  tokens: tokensOf('What', ' is', ' it', '?', '* A', '* cat', '*\n'),
  cut: [],
  maxLength: 128,
  ...more,
});
