import type { PreflightProblem } from '../preflight';

/**
 * A report as data: `terminalText` prints it, and `markdownText` shows it in the editor. Texts have no markup but
 * code spans (`codeSpan` makes one of any name).
 */
export interface Report {
  title: string;
  parts: Part[];
}

export type Part =
  /** A paragraph. */
  | string
  /** The result in one sentence, which stands out. */
  | { verdict: string }
  | { heading: string }
  | { list: string[] }
  | { problems: PreflightProblem[] }
  | { program: string; language: string }
  | ReportTable;

export interface ReportTable {
  columns: Column[];
  rows: string[][];
  /** The rows that a terminal shows before it counts the rest. */
  few?: number;
}

/** Its title; numbers are right-aligned, and names that a program reads are code. */
export type Column = string | { number: string } | { code: string };

export const columnTitle = (column: Column): string =>
  typeof column === 'string' ? column : 'number' in column ? column.number : column.code;

export const isNumber = (column: Column): boolean => typeof column === 'object' && 'number' in column;

export const isTable = (part: Part): part is ReportTable => typeof part === 'object' && 'rows' in part;

/** Things to look at, which stop nothing. */
export const warningsPart = (warnings: readonly string[]): Part[] =>
  warnings.length === 0
    ? []
    : [{ problems: warnings.map((message) => ({ kind: 'problem', severity: 'warning', message })) }];
