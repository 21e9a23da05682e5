import { escapeControls } from '../base/controls';

/** The first lines of a model card or data set card: without its metadata, comments and pictures, which a terminal cannot show. */
export function firstLines(card: string, most: number): string {
  const text = card
    .replace(/^\uFEFF?---\r?\n[^]*?\n---[ \t]*(\r?\n|$)/, '')
    .replace(/<!--[^]*?(-->|$)/g, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '');
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    // Two empty lines in a row say no more than one.
    .filter((line, i, all) => line !== '' || (i > 0 && all[i - 1] !== ''));
  while (lines[0] === '') lines.shift();
  return escapeControls(lines.slice(0, most).join('\n').trimEnd(), '\n\t');
}
