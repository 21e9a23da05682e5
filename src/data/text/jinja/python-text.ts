/** Python's white space (str.isspace), which is not JavaScript's: it has U+001C to U+001F and U+0085, and no U+FEFF. */
export const SPACE = '(?:(?!\\ufeff)\\s|[\\x1c-\\x1f\\x85])';
const ONE_SPACE = new RegExp(`^${SPACE}$`);

const isSpaceAt = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  return ONE_SPACE.test(text[at]);
};

const hasSurrogates = (text: string): boolean => /[\ud800-\udfff]/.test(text);

/** The characters of a string as Python counts them, by code point. */
export const characters = (text: string): string[] =>
  hasSurrogates(text) ? Array.from(text) : text.split('');

/** text[index], from the end if it is negative; undefined beyond the text. */
export const characterAt = (text: string, index: number): string | undefined =>
  hasSurrogates(text) ? Array.from(text).at(index) : text.at(index);

/** len(text) */
export const textLength = (text: string): number =>
  hasSurrogates(text) ? Array.from(text).length : text.length;

/** The number of times that one string is in another, without overlaps. */
export function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** str.strip, lstrip and rstrip. @param chars the characters to remove; white space without them */
export function strip(text: string, chars?: string | null, ends: 'both' | 'left' | 'right' = 'both'): string {
  const set = chars === undefined || chars === null ? undefined : new Set(characters(chars));
  let start = 0;
  let end = text.length;
  if (ends !== 'right')
    while (start < end) {
      const size = set && text.codePointAt(start)! > 0xffff ? 2 : 1;
      if (set ? !set.has(text.slice(start, start + size)) : !isSpaceAt(text, start)) break;
      start += size;
    }
  if (ends !== 'left')
    while (end > start) {
      const size = set && end - 2 >= start && text.codePointAt(end - 2)! > 0xffff ? 2 : 1;
      if (set ? !set.has(text.slice(end - size, end)) : !isSpaceAt(text, end - 1)) break;
      end -= size;
    }
  return text.slice(start, end);
}

const LINE_END = '(?:\\r\\n|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029])';
const LINE = new RegExp(`(?:(?!${LINE_END})[^])*${LINE_END}|(?:(?!${LINE_END})[^])+$`, 'g');
const LAST_END = new RegExp(`${LINE_END}$`);

/** str.splitlines */
export function splitLines(text: string, keepEnds = false): string[] {
  return (text.match(LINE) ?? []).map((line) => (keepEnds ? line : line.replace(LAST_END, '')));
}

/** str.split without a separator, and str.rsplit with `right`. @param most splits at most; -1 for all */
export function splitWords(text: string, most: number, right = false): string[] {
  const words: [number, number][] = [];
  for (let at = 0; at < text.length; at++) {
    if (isSpaceAt(text, at)) continue;
    const start = at;
    while (at < text.length && !isSpaceAt(text, at)) at++;
    words.push([start, at]);
  }
  const read = (some: [number, number][]) => some.map(([start, end]) => text.slice(start, end));
  if (most < 0 || words.length <= most) return read(words);
  if (right) {
    const kept = words.slice(words.length - most);
    return [strip(text.slice(0, kept[0]?.[0]), null, 'right'), ...read(kept)];
  }
  return [...read(words.slice(0, most)), text.slice(words[most][0])];
}

/** str.split and str.rsplit with a separator. */
export function splitBy(text: string, separator: string, most: number, right = false): string[] {
  const parts = text.split(separator);
  if (most < 0 || parts.length - 1 <= most) return parts;
  return right
    ? [parts.slice(0, parts.length - most).join(separator), ...(most ? parts.slice(parts.length - most) : [])]
    : [...parts.slice(0, most), parts.slice(most).join(separator)];
}

/** str.replace. @param most replacements at most; -1 for all */
export function replaced(text: string, from: string, to: string, most: number): string {
  if (most === 0) return text;
  if (from === '') {
    const all = characters(text);
    const gaps = most < 0 ? all.length + 1 : Math.min(most, all.length + 1);
    return all.map((c, i) => (i < gaps ? to : '') + c).join('') + (gaps > all.length ? to : '');
  }
  if (most < 0) return text.replaceAll(from, to.replaceAll('$', '$$$$'));
  return splitBy(text, from, most).join(to);
}

/** str.capitalize */
export const capitalized = (text: string): string => {
  const [first = '', ...rest] = characters(text);
  return first.toUpperCase() + rest.join('').toLowerCase();
};

/** str.title */
export const titled = (text: string): string => text.replace(/\p{L}+/gu, (word) => capitalized(word));

/** A string as a literal of Python: repr(text). */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
  const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
  const written = Array.from(text, (character) => {
    if (character === quote) return `\\${quote}`;
    if (Object.hasOwn(named, character)) return named[character];
    if (!hidden.test(character)) return character;
    const code = character.codePointAt(0)!;
    const hex = (digits: number) => code.toString(16).padStart(digits, '0');
    return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
  });
  return quote + written.join('') + quote;
}
