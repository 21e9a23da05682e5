import { escapeControls } from '../base/escape';
import { count } from '../base/number-text';
import { wrap } from '../base/wrap';
import type { PreflightProblem } from '../protocol/preflight';
import { columnTitle, isNumber, isTable, type Part, type ReportTable } from '../protocol/reports/report';
import { rowPlace } from '../protocol/row-place';
import { table } from './table';
import { write } from './output';

/** Between columns. */
const GAP = '   ';
/** In a column narrower than this, text is not wrapped. */
const LEAST = 20;

/**
 * Parts of a report as lines for a terminal; ends with a line break. What follows a heading is indented.
 *
 * @param width at which sentences are wrapped; those in a file or pipe are not
 */
export function terminalText(parts: readonly Part[], width = process.stdout.columns ?? Infinity): string {
  const lines: string[] = [];
  let indent = '';
  let before: Part | undefined;
  for (const part of parts) {
    if (isSection(part)) {
      lines.push('');
      indent = '';
    } else if (before !== undefined && !isSection(before) && (isTable(before) || isTable(part)))
      lines.push('');
    lines.push(...partLines(part, width - indent.length).map((line) => indent + line));
    if (isHeading(part)) indent = '  ';
    before = part;
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** Prints parts of a report; the progress after them goes to stderr. */
export async function writeReport(parts: readonly Part[], progress?: string): Promise<void> {
  if (parts.length > 0) await write(terminalText(parts));
  if (progress !== undefined) process.stderr.write(`${progress}\n`);
}

const isHeading = (part: Part): boolean => typeof part === 'object' && 'heading' in part;

/** It begins a part of the output. */
const isSection = (part: Part): boolean => isHeading(part) || (typeof part === 'object' && 'verdict' in part);

function partLines(part: Part, width: number): string[] {
  if (typeof part === 'string') return wrap(escapeControls(part), width);
  if ('verdict' in part) return wrap(escapeControls(part.verdict), width);
  if ('heading' in part) return [escapeControls(part.heading)];
  if ('problems' in part) return part.problems.flatMap((problem) => problemLines(problem, width));
  if ('list' in part)
    return part.list.flatMap((item) =>
      wrap(escapeControls(item), width - 2).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`),
    );
  if ('program' in part) return part.program.split('\n').map((line) => escapeControls(line));
  return tableLines(part, width);
}

function tableLines({ columns, rows, few = Infinity }: ReportTable, width: number): string[] {
  const head = columns.map(columnTitle);
  const shown = rows.slice(0, few);
  const all = head.some((title) => title !== '') ? [head, ...shown] : shown;
  const isRight = (i: number) => isNumber(columns[i]);
  const lines = table(all, GAP, isRight);
  const rest = rows.length - shown.length;
  return [
    ...(isRight(columns.length - 1) ? lines : withLastWrapped(lines, all, width)),
    ...(rest > 0 ? [`and ${count(rest)} more`] : []),
  ];
}

/** Text of the last column continues below itself. */
function withLastWrapped(lines: readonly string[], rows: readonly string[][], width: number): string[] {
  const others = table(
    rows.map((row) => row.slice(0, -1)),
    GAP,
  );
  const begin = Math.max(...others.map((line) => line.length)) + GAP.length;
  if (width - begin < LEAST) return [...lines];
  return lines.flatMap((line) =>
    wrap(line.slice(begin), width - begin).map((part, i) =>
      `${i === 0 ? line.slice(0, begin) : ' '.repeat(begin)}${part}`.trimEnd(),
    ),
  );
}

/** A problem with the rows that show it, as terminals link them, unless the message names them. */
function problemLines({ severity, message, hint, places = [] }: PreflightProblem, width: number): string[] {
  const rows = places.map(({ file, row }) => rowPlace(file, row));
  const more = rows.some((row) => message.includes(row)) ? '' : rows.join(', ');
  const below = [hint ?? '', more].filter((text) => text !== '').flatMap((text) => wrap(text, width - 9));
  return [...wrap(`${severity}: ${message}`, width), ...below.map((line) => `         ${line}`)];
}
