/**
 * C0 and C1 controls, which terminals interpret; line and paragraph separators; and the marks that change the direction of
 * all text after them, so that it reads as something else.
 */
const CONTROLS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Escapes characters that control a terminal, break a line or reverse text, as in JSON: a file's content is displayed, not
 * interpreted.
 *
 * @param but characters to keep
 */
export const escapeControls = (text: string, but = ''): string =>
  text.replace(CONTROLS, (c) =>
    but.includes(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Untrusted text as a code span, whatever it contains. */
export function codeSpan(text: string): string {
  const shown = escapeControls(text);
  const runs = shown.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(0, ...runs.map((r) => r.length)) + 1);
  const pad = /^`|`$|^ .* $|^$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/**
 * Untrusted text for a paragraph, a heading or a table cell, with all markup escaped: also that of formulas and of the
 * editor's icons, which begin with a dollar sign.
 */
export const plainWords = (text: string): string =>
  escapeControls(text).replace(/[\\`*_{}[\]<>#|~&!$]|^[-+]/g, '\\$&');

/**
 * A table of cells that are Markdown already.
 *
 * @param isRight true for a column that is right-aligned; by default all but the first are
 */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isRight = (i: number) => i > 0,
): string {
  return [head, head.map((_, i) => (isRight(i) ? '---:' : '---')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** A block of code, in a fence that is longer than any in it. */
export function codeBlock(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).map((f) => f.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
