/**
 * Characters that steer a terminal, or break a line, as JSON writes them: what a file says is shown, and not obeyed.
 *
 * @param but those that stay
 */
export const escapeControls = (text: string, but = ''): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) =>
    but.includes(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
