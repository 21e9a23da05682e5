import { codeBlock, codeSpan, markdownTable, plainWords } from '../../base/escape';
import { t } from '../../base/l10n';
import type { PreflightProblem } from '../preflight';
import { columnTitle, isNumber, type Part, type Report, type ReportTable } from './report';

type Place = NonNullable<PreflightProblem['places']>[number];

/**
 * A report as a Markdown document. Markup in its texts is escaped.
 *
 * @param link a Markdown link to a row of a data file, if editors can open it
 */
export function markdownText({ title, parts }: Report, link?: (place: Place) => string | undefined): string {
  return `${[`# ${inline(title)}`, ...parts.map((part) => partText(part, link))].join('\n\n')}\n`;
}

function partText(part: Part, link: ((place: Place) => string | undefined) | undefined): string {
  if (typeof part === 'string') return inline(part);
  if ('verdict' in part) return `**${inline(part.verdict)}**`;
  if ('heading' in part) return `## ${inline(part.heading)}`;
  if ('list' in part) return part.list.map((item) => `- ${inline(item)}`).join('\n');
  if ('problems' in part) return part.problems.map((problem) => problemText(problem, link)).join('\n');
  if ('program' in part) return codeBlock(part.program, part.language);
  return tableText(part);
}

/** As in Markdown: between equal numbers of backticks. */
const SPAN = /(?<!`)(`+)(?!`)(.*?[^`])\1(?!`)/;

/** Text with its code spans. */
function inline(text: string, code = codeSpan): string {
  const parts = text.replace(/\s+/g, ' ').split(SPAN);
  // Plain text, a fence, what it encloses, plain text …
  return parts.map((part, i) => [plainWords(part), '', code(part.replace(/^ (.*) $/, '$1'))][i % 3]).join('');
}

/** A code span in a table, where a bar would end the cell. */
const cellCode = (text: string): string => (text === '' ? '' : codeSpan(text).replaceAll('|', '\\|'));

function tableText({ columns, rows }: ReportTable): string {
  const cells = rows.map((row) =>
    row.map((cell, i) => {
      const column = columns[i];
      return typeof column === 'object' && 'code' in column ? cellCode(cell) : cellText(cell);
    }),
  );
  const right = columns.map(isNumber);
  return markdownTable(
    columns.map((column) => cellText(columnTitle(column))),
    cells,
    (i) => right[i],
  );
}

/** In a narrow editor, a shape such as "768 × 768" would otherwise be two lines. */
const cellText = (text: string): string => inline(text, cellCode).replaceAll(' × ', '\u00a0×\u00a0');

function problemText(
  { severity, message, hint, key, places = [] }: PreflightProblem,
  link?: (place: Place) => string | undefined,
): string {
  const words = { error: `**${t('Error')}**`, warning: t('Warning'), note: t('Note') };
  const setting = key === undefined ? '' : ` (${codeSpan(key)})`;
  const links = places.flatMap((place) => link?.(place) ?? []);
  const rows = links.length === 0 ? '' : ` (${links.join(', ')})`;
  return `- ${words[severity]}${setting}: ${inline([message, hint ?? ''].join(' ').trim())}${rows}`;
}
