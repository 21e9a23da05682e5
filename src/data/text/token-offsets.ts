/**
 * The largest gap from the last token's end to the next token: characters that a normalizer drops (controls, stray
 * marks) and spaces.
 */
const LOOK_AHEAD = 64;

/**
 * The place of each token in the text, as [start, end) in UTF-16 units; undefined for special tokens. The tokenizers'
 * library gives no offsets, so this function searches for the pieces one after the other, ignoring case, width and
 * accents as normalizers do. A piece that cannot be found (an unknown word, a byte of a character) gets the text
 * between its neighbors.
 *
 * @param pieces the text of each token; undefined for a special token, '' for one without text
 */
export function tokenOffsets(
  text: string,
  pieces: readonly (string | undefined)[],
): ([number, number] | undefined)[] {
  const { plain, starts, ends } = plainText(text);
  const spans: ([number, number] | undefined)[] = pieces.map(() => undefined);
  let cursor = 0;
  pieces.forEach((piece, i) => {
    const wanted = piece === undefined ? '' : plainText(piece).plain;
    if (wanted === '' || wanted.includes('\ufffd')) return;
    const at = plain.indexOf(wanted, cursor);
    if (at < 0 || at - cursor > LOOK_AHEAD) return;
    spans[i] = [starts[at], ends[at + wanted.length - 1]];
    cursor = at + wanted.length;
  });
  fillGaps(text, pieces, spans);
  return spans;
}

function fillGaps(
  text: string,
  pieces: readonly (string | undefined)[],
  spans: ([number, number] | undefined)[],
): void {
  for (let i = 0; i < spans.length; i++) {
    if (spans[i] !== undefined || pieces[i] === undefined) continue;
    let last = i;
    while (last + 1 < spans.length && spans[last + 1] === undefined && pieces[last + 1] !== undefined) last++;
    const from = spans.slice(0, i).findLast((s) => s !== undefined)?.[1] ?? 0;
    const to = spans.slice(last + 1).find((s) => s !== undefined)?.[0] ?? text.length;
    const gap = text.slice(from, to);
    const start = from + (gap.length - gap.trimStart().length);
    // Without a token behind it the gap may be the part of the text that was cut: only its first word then.
    const word = to === text.length ? /^\S+/.exec(gap.trim())?.[0] : gap.trim();
    if (word) for (let k = i; k <= last; k++) spans[k] = [start, start + word.length];
    i = last;
  }
}

/** Lower case, compatibility-decomposed, without combining marks; for every unit of it where it was. */
function plainText(text: string): { plain: string; starts: number[]; ends: number[] } {
  let plain = '';
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const character of text) {
    const folded = character.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
    plain += folded;
    for (let k = 0; k < folded.length; k++) {
      starts.push(at);
      ends.push(at + character.length);
    }
    at += character.length;
  }
  return { plain, starts, ends };
}
