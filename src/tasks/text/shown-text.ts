import { AuroraError } from '../../base/errors';
import type { TextExample } from '../../data/dataset';
import type { Row } from '../../data/table/rows';
import { tokenOffsets } from '../../data/text/token-offsets';
import type { Tokenizer } from '../../data/text/tokenizer';
import type { ActivationExample } from '../../protocol/activation-examples';

/** Characters kept of a text: at least this many, and this many beyond the last token that the model reads. */
const SHOWN_CHARACTERS = 400;
const SHOWN_AFTER = 200;
/** More than the words of any language need. */
const CHARACTERS_A_TOKEN = 16;

/** A text with the places of its tokens in it. */
export function shownText(
  { line, label, text }: Row,
  { ids }: Pick<TextExample, 'ids'>,
  tokenizer: Tokenizer,
): ActivationExample {
  // A long text costs no more than the part that is read.
  const head = text.slice(0, Math.max(SHOWN_CHARACTERS, ids.length * CHARACTERS_A_TOKEN));
  const pieces = [...ids].map((id) => tokenizer.piece(id));
  const spans = tokenOffsets(head, pieces);
  const end = spans.reduce((last, span) => Math.max(last, span?.[1] ?? 0), 0);
  const shown = head.slice(0, Math.max(end + SHOWN_AFTER, SHOWN_CHARACTERS));
  return {
    line,
    ids: [...ids],
    label,
    text: shown,
    ...(shown.length < text.length && { cut: true }),
    offsets: spans.flatMap((span) => span ?? [-1, -1]),
    pieces: pieces.map((p) => p ?? ''),
  };
}

/** @throws AuroraError 'data' if an input has no tokens */
export function requireTokens({ size }: { size: number }): void {
  if (size === 0)
    throw new AuroraError('data', 'The tokenizer produces no tokens for this text.', 'Type some words.');
}
