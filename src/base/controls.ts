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
