import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plainWords } from '../base/escape';
import type { PreflightLine, PreflightProblem } from '../protocol/preflight';
import { markdownText } from '../protocol/reports/markdown-text';
import { type PreflightLines, preflightReport } from '../protocol/reports/preflight-report';
import { rowWord } from '../protocol/row-place';
import { programLine } from '../executors/local/program';

/**
 * A line of `aurora preflight --json`.
 *
 * @param inWords a hint in the words of the front end
 */
export function parsePreflightLine(
  text: string,
  inWords: (hint: string) => string,
): PreflightLine | undefined {
  const line = programLine<PreflightLine>(text, [
    ...(['modules', 'reading', 'data', 'measuring', 'device', 'step', 'estimate', 'problem'] as const),
  ]);
  return line?.kind === 'problem' && line.hint !== undefined ? { ...line, hint: inWords(line.hint) } : line;
}

export const preflightMarkdown = (name: string, lines: PreflightLines): string =>
  markdownText(preflightReport(name, lines), linkTo);

/** A link to a row, in text files, which editors can open at a line. */
const linkTo = ({ file, row }: NonNullable<PreflightProblem['places']>[number]): string | undefined =>
  rowWord(file) === 'line' && !file.endsWith('.gz')
    ? `[${plainWords(`${basename(file)}:${row}`)}](<${pathToFileURL(file).href}#L${row}>)`
    : undefined;
