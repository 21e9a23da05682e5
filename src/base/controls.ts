/**
 * Escapes characters that control a terminal or break a line, as in JSON: a file's content is displayed, not
 * interpreted.
 *
 * @param but characters to keep
 */
export const escapeControls = (text: string, but = ''): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) =>
    but.includes(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
