import { relative } from 'node:path';
import { escapeControls } from '../../../base/escape';
import { count, numberText } from '../../../base/number-text';
import {
  rowPosition,
  tokenNumbers,
  tokensFacts,
  tokensSummary,
  tokensWarning,
} from '../../../protocol/reports/tokens-report';
import { rowPlace } from '../../../protocol/row-place';
import type { CutTokens, RowToken, TokenRow } from '../../../protocol/tokens';

/** Characters of each part that was cut off. */
const CUT_CHARACTERS = 400;

type Ink = 'counts' | 'special' | 'plain' | 'label' | 'cut' | 'warning';

/** Foreground colors, and their end. */
const INKS: Record<Ink, readonly [begin: string, end: string]> = {
  counts: ['\x1b[1;32m', '\x1b[22;39m'],
  special: ['\x1b[36m', '\x1b[39m'],
  plain: ['\x1b[2m', '\x1b[22m'],
  label: ['\x1b[35m', '\x1b[39m'],
  cut: ['\x1b[31m', '\x1b[39m'],
  warning: ['\x1b[33m', '\x1b[39m'],
};

/**
 * A row as text for a terminal; ends with a line break. With colors it has control sequences, and everything from files
 * is escaped.
 *
 * @param colors false: brackets mark what counts
 */
export function tokensText(row: TokenRow, colors: boolean): string {
  const ink = (kind: Ink, text: string) => (colors ? `${INKS[kind][0]}${text}${INKS[kind][1]}` : text);
  const warning = tokensWarning(row);
  const lines = [
    `${shown(rowPlace(shortPath(row.file), row.row))} · ${rowPosition(row)}`,
    ...(warning ? [ink('warning', `warning: ${shown(warning.message)}`), `         ${warning.hint}`] : []),
    shown(tokensSummary(row)),
    ...tokensFacts(row),
    '',
    ...bodyLines(row, colors, ink),
    '',
    ...row.cut.map((run) => cutLine(run, ink)),
    legend(row, colors, ink),
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

/** From the current folder, if it is below that. */
function shortPath(file: string): string {
  const path = relative('', file);
  return path.startsWith('..') ? file : path;
}

const shown = (text: string): string => escapeControls(text);

/** The text of a token; line breaks stay, and are marked. */
const tokenText = ({ text = '' }: RowToken): string =>
  escapeControls(text.replace(/\r?\n/g, '↵\n').replace(/\t/g, '⇥'), '\n');

type InInk = (kind: Ink, text: string) => string;

/** The tokens with borders between them; each text of a packed row begins a line. */
function bodyLines(row: TokenRow, colors: boolean, ink: InInk): string[] {
  const { tokens, packed, cut } = row;
  if (tokens.length === 0) return [];
  const texts = packed?.texts ?? [{ name: row.name, begin: 0, size: tokens.length }];
  const padding = tokenNumbers(row).padding;
  return texts.flatMap(({ name, begin, size }, i) => {
    const isOwn = !packed || i === packed.own;
    const end = begin + size;
    const own = tokens.slice(begin, end);
    const runs = isOwn ? cut.map((run) => ({ ...run, at: run.at - begin })) : [];
    const isLast = i === texts.length - 1;
    const line =
      marked(own, runs, colors, ink) +
      (isLast && padding > 0
        ? ink('plain', `${BORDER}${shown(row.batch!.pad.text ?? '')} × ${count(padding)}`)
        : '');
    return packed ? [ink('plain', `── ${shown(name)}${isOwn ? ' (this row)' : ''}`), line] : [line];
  });
}

const BORDER = '│';
const [OPEN, CLOSE] = ['⟦', '⟧'];

function marked(tokens: readonly RowToken[], cut: readonly CutTokens[], colors: boolean, ink: InInk): string {
  let line = '';
  const cutAt = (at: number) =>
    cut.filter((run) => run.at === at).forEach((run) => (line += ink('cut', `✂${count(run.count)}`)));
  tokens.forEach((token, i) => {
    cutAt(i);
    const [before, after] = [tokens[i - 1], tokens[i + 1]];
    const opens = !colors && token.counts && !before?.counts;
    const closes = !colors && token.counts && !after?.counts;
    const hasClosed = !colors && before?.counts && !token.counts;
    if (opens) line += OPEN;
    else if (before && !hasClosed && !before.text?.endsWith('\n')) line += ink('plain', BORDER);
    line += ink(token.counts ? 'counts' : token.special ? 'special' : 'plain', tokenText(token));
    line += answer(token, ink);
    if (closes) line += CLOSE;
  });
  cutAt(tokens.length);
  return line;
}

/** "→B-LOC×2" */
function answer({ label, weight }: RowToken, ink: InInk): string {
  const parts = [
    ...(label === undefined ? [] : [`→${shown(label)}`]),
    ...(weight === undefined ? [] : [`×${numberText(weight)}`]),
  ];
  return parts.length === 0 ? '' : ink('label', parts.join(''));
}

function cutLine({ count: number, tokens }: CutTokens, ink: InInk): string {
  const text = tokens
    .map((token) => token.text ?? '')
    .join('')
    .trim()
    .replace(/\s+/g, ' ');
  const some = text.slice(0, CUT_CHARACTERS);
  const isAll = some.length === text.length && tokens.length === number;
  return ink(
    'cut',
    `✂ ${number === 1 ? '1 token' : `${count(number)} tokens`}: ${shown(some)}${isAll ? '' : '…'}`,
  );
}

/** Explains the marks that occur. */
function legend(row: TokenRow, colors: boolean, ink: InInk): string {
  const { counting, special, cut } = tokenNumbers(row);
  const parts = [
    ...(counting === 0
      ? []
      : [colors ? ink('counts', 'counts in the loss') : `${OPEN}${CLOSE} counts in the loss`]),
    ...(row.perToken && colors ? [ink('plain', 'does not count')] : []),
    ...(special > 0 && colors ? [ink('special', 'special token')] : []),
    ...(row.tokens.some((token) => token.label !== undefined) ? [ink('label', '→ to be answered with')] : []),
    ...(row.tokens.some((token) => token.weight !== undefined) ? [ink('label', '× weight')] : []),
    ...(cut > 0 ? [ink('cut', '✂ cut off')] : []),
  ];
  return parts.join(' · ');
}
