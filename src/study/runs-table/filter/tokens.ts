import { t } from '../../../base/l10n';

/** A mistake in a filter, and its place: characters from `at` on, which is the filter's length at the end. */
export interface FilterProblem {
  message: string;
  at: number;
  length: number;
}

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains';

export interface Token {
  kind: 'open' | 'close' | 'operator' | 'word' | 'quoted' | 'end';
  /** Without quotes; of an operator, as in `Operator`. */
  text: string;
  at: number;
  length: number;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '≠': '!=',
  '<': '<',
  '<=': '<=',
  '≤': '<=',
  '>': '>',
  '>=': '>=',
  '≥': '>=',
};
const NEXT =
  /\s*(?:([()])|(==|!=|<=|>=|[=<>≠≤≥])|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([^\s()=<>≠≤≥!"']+))/y;

/** The parts of a filter, `end` last. */
export function tokens(text: string): Token[] | FilterProblem {
  const found: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    NEXT.lastIndex = at;
    const match = NEXT.exec(text);
    if (!match) {
      const from = at + text.slice(at).search(/\S/);
      const isQuote = /["']/.test(text[from]);
      return isQuote
        ? { message: t('This quotation mark is not closed.'), at: from, length: text.length - from }
        : { message: t('"{0}" has no meaning here.', text[from]), at: from, length: 1 };
    }
    const [whole, bracket, operator, quoted, word] = match;
    const own = bracket ?? operator ?? quoted ?? word;
    const place = { at: at + whole.length - own.length, length: own.length };
    at += whole.length;
    if (bracket) found.push({ kind: bracket === '(' ? 'open' : 'close', text: bracket, ...place });
    else if (operator) found.push({ kind: 'operator', text: OPERATORS[operator], ...place });
    else if (quoted) found.push({ kind: 'quoted', text: unquoted(quoted), ...place });
    else if (word.toLowerCase() === 'contains') found.push({ kind: 'operator', text: 'contains', ...place });
    else found.push({ kind: 'word', text: word, ...place });
  }
  found.push({ kind: 'end', text: '', at: text.length, length: 0 });
  return found;
}

const unquoted = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, '$1');
