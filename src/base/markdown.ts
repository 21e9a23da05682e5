import { escapeControls } from './controls';

/** Untrusted text as a code span, whatever it contains. */
export function codeSpan(text: string): string {
  const shown = escapeControls(text);
  const runs = shown.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(0, ...runs.map((r) => r.length)) + 1);
  const pad = /^`|`$|^ .* $|^$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** Untrusted text for a paragraph, a heading or a table cell, with all markup escaped. */
export const plainWords = (text: string): string =>
  escapeControls(text).replace(/[\\`*_{}[\]<>#|~&!]/g, (c) => `\\${c}`);
