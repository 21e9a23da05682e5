import { escapeControls } from './controls';

/** A text of somebody else as a code span, whatever is in it. */
export function codeSpan(text: string): string {
  const shown = escapeControls(text);
  const runs = shown.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(0, ...runs.map((r) => r.length)) + 1);
  const pad = /^`|`$|^ .* $|^$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** The same as words of a paragraph, a heading or a cell: none of it is markup. */
export const plainWords = (text: string): string =>
  escapeControls(text).replace(/[\\`*_{}[\]<>#|~&!]/g, (c) => `\\${c}`);
