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

const isRow = (row: unknown): row is string | undefined =>
  row === undefined || (isText(row) && row.length <= LONGEST_ROW);

const isSplitIn = (split: unknown): split is SplitName | undefined => split === undefined || isSplit(split);

/** Validates a message from the page; undefined if invalid. */
export function parseTokensMessage(message: unknown): TokensFromPage | undefined {
  if (!isObject(message)) return undefined;
  const { type, row, split, batch } = message;
  if (type === 'openRow' || type === 'openExperiment') return { type };
  if (type !== 'show' || !isRow(row) || !isSplitIn(split)) return undefined;
  return { type, row, split, batch: batch === true };
}

/** Parses the subject of a panel that a reload restores. The host checks that the path is absolute. */
export function parseTokensOpen(value: unknown): TokensOpen | undefined {
  if (!isObject(value)) return undefined;
  const { file, row, split } = value;
  return isText(file) && isRow(row) && isSplitIn(split) ? { file, row, split } : undefined;
}
