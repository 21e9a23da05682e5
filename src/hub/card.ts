import { escapeControls } from '../base/controls';

/** Some cards have a table or a picture's data in one line. */
const MOST_LINE = 400;

/** The first lines of a model card or data set card: without its metadata, comments and pictures, which a terminal cannot show. */
export function firstLines(card: string, most: number): string {
  const text = card
    .replace(/^\uFEFF?---\r?\n[^]*?\n---[ \t]*(\r?\n|$)/, '')
    .replace(/<!--[^]*?(-->|$)/g, '')
    // Bounded: each of many that are not closed would otherwise be searched to the end of the card.
    .replace(/!\[[^[\]]{0,300}\]\([^()]{0,2000}\)/g, '');
  const lines = text
    .split(/\r?\n/)
    .map((line) => cut(line.trimEnd()))
    // Two empty lines in a row are no better than one.
    .filter((line, i, all) => line !== '' || (i > 0 && all[i - 1] !== ''));
  while (lines[0] === '') lines.shift();
  return escapeControls(lines.slice(0, most).join('\n').trimEnd(), '\n\t');
}

const cut = (line: string): string => (line.length > MOST_LINE ? `${line.slice(0, MOST_LINE - 1)}…` : line);
