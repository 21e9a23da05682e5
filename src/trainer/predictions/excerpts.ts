import { tellingOrder } from '../../protocol/errors-view/telling';
import { EXCERPT_CHARACTERS, MOST_EXCERPTS, type Columns, type Excerpt } from '../../protocol/predictions';
import type { DataSplit } from '../../tasks/text-data';

/** How the most telling texts begin. */
export const excerptsOf = ({ rows, dataset }: DataSplit, columns: Columns): Excerpt[] =>
  tellingOrder(columns)
    .slice(0, MOST_EXCERPTS)
    .map((example) => ({ example, text: excerpt(rows[dataset.examples[example].row].text) }));

/** In one line; "…" stands for what is left out. */
export function excerpt(text: string): string {
  // Of a book no more is looked at than may be shown, white space aside.
  const line = text
    .slice(0, 8 * EXCERPT_CHARACTERS)
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= EXCERPT_CHARACTERS && text.length <= 8 * EXCERPT_CHARACTERS) return line;
  // A character beyond the first 65,536 is two units, and half of it is none.
  return `${line.slice(0, EXCERPT_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
