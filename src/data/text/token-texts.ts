/** No character has more tokens. */
const MOST_PARTS = 8;
/** A decoder's sign for bytes that are not a character. */
const BROKEN = '\ufffd';

/**
 * The text of each token of a sequence, with the space before it, so that all texts together are that of the sequence.
 * Each is decoded after the one before: alone, many decoders drop the space.
 *
 * @param decode the text of tokens, special ones by their names
 * @returns undefined for a further part of the character that the token before begins
 */
export function tokenTexts(
  ids: readonly number[],
  decode: (ids: readonly number[]) => string,
): (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  let before: readonly number[] = [];
  for (let at = 0; at < ids.length;) {
    const textUpTo = (end: number) => textAfter(before, ids.slice(at, end), decode);
    let end = at + 1;
    let text = textUpTo(end);
    while (text.endsWith(BROKEN) && end < ids.length && end - at < MOST_PARTS) text = textUpTo(++end);
    if (text.endsWith(BROKEN)) {
      end = at + 1;
      text = textUpTo(end);
    }
    texts.push(text, ...new Array<undefined>(end - at - 1).fill(undefined));
    before = ids.slice(at, end);
    at = end;
  }
  return texts;
}

function textAfter(
  before: readonly number[],
  ids: readonly number[],
  decode: (ids: readonly number[]) => string,
): string {
  const known = decode(before);
  const both = decode([...before, ...ids]);
  return both.startsWith(known) ? both.slice(known.length) : decode(ids);
}
