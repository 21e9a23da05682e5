import { isObject, isText } from '../../base/guards';
import { isSplit, type SplitName, type TokenRow } from '../tokens';

/** Messages between the Tokens page and its host. */
export interface TokensOpen {
  /** The experiment file, absolute. */
  file: string;
  /** The first row by default. */
  row?: string;
  split?: SplitName;
}

/** The row that a page asks for, as `aurora tokens` takes it. */
export interface TokensChoice {
  row?: string;
  split?: SplitName;
  /** Also its batch, for which all texts are read. */
  batch?: boolean;
}

export type TokensToPage =
  | { type: 'reading' }
  /** `experiment` is its name. */
  | { type: 'row'; experiment: string; row: TokenRow }
  | { type: 'error'; message: string };

export type TokensFromPage =
  | ({ type: 'show' } & TokensChoice)
  /** Opens the row in its data file. */
  | { type: 'openRow' }
  | { type: 'openExperiment' };

/** Far above any file's name with a number. */
const LONGEST_ROW = 1000;

const isRow = (row: unknown): row is string => isText(row) && row.length <= LONGEST_ROW;

function choiceOf({ row, split, batch }: Record<string, unknown>): TokensChoice | undefined {
  if ((row !== undefined && !isRow(row)) || (split !== undefined && !isSplit(split))) return undefined;
  return {
    ...(row !== undefined && { row }),
    ...(split !== undefined && { split }),
    ...(batch === true && { batch }),
  };
}

/** Validates a message from the page; undefined if invalid. */
export function parseTokensMessage(message: unknown): TokensFromPage | undefined {
  if (!isObject(message)) return undefined;
  const { type } = message;
  if (type === 'openRow' || type === 'openExperiment') return { type };
  const choice = type === 'show' ? choiceOf(message) : undefined;
  return choice && { type: 'show', ...choice };
}

/** Parses the subject of a panel that a reload restores. The host checks that the path is absolute. */
export function parseTokensOpen(value: unknown): TokensOpen | undefined {
  if (!isObject(value) || !isText(value.file)) return undefined;
  const choice = choiceOf(value);
  if (!choice) return undefined;
  const { row, split } = choice;
  return { file: value.file, ...(row !== undefined && { row }), ...(split !== undefined && { split }) };
}
