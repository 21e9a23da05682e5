import { isUtf8 } from 'node:buffer';
import { INVALID_UTF8, type DataRecord, type Records } from './records';

/** The columns of the words and, the last one, of their tags; columns between them go by their number, from 2. */
const CONLL_WORDS = 'tokens';
const CONLL_TAGS = 'tags';

/** Marks the start of a document in CoNLL-2002 and -2003; it is not a word. */
const DOCUMENT = '-DOCSTART-';

/** Without a tab, spaces separate the columns; a no-break space can be part of a word, as in a number. */
const columnsOf = (line: string): string[] =>
  line.includes('\t') ? line.split('\t').map((c) => c.trim()) : line.trim().split(/ +/);

/** The first line that is surely a word with its tag: the others have as many columns. */
const firstWord = (lines: readonly string[]): string | undefined =>
  lines.find((line) => {
    const columns = columnsOf(line);
    return columns.length > 1 && columns[0] !== DOCUMENT && !line.startsWith('#');
  });

/**
 * Sentences in CoNLL's column format: one word per line, its columns separated by tabs or spaces, and an empty line
 * after each sentence (Tjong Kim Sang and De Meulder, 2003). Lines that start with # are comments, as in CoNLL-U, unless
 * they have the columns of a word. The fields of a record are lists, one value per word.
 */
export function parseConll(bytes: Buffer): Records {
  if (!isUtf8(bytes)) return { columns: [], records: [{ line: 1, problem: INVALID_UTF8 }] };
  const lines = bytes.toString('utf8').split(/\r\n|\n|\r/);
  const first = firstWord(lines) ?? '';
  const width = first === '' ? 0 : columnsOf(first).length;
  const isComment = (line: string, columns: readonly string[]) =>
    line.startsWith('#') && !line.includes('\t') && (first.includes('\t') || columns.length !== width);
  const names = Array.from({ length: width }, (_, i) =>
    i === 0 ? CONLL_WORDS : i === width - 1 ? CONLL_TAGS : String(i + 1),
  );
  const records: DataRecord[] = [];
  let words: string[][] = [];
  let start = 0;
  let problem: { line: number; problem: string } | undefined;
  const end = () => {
    if (problem) records.push(problem);
    else if (words.length > 0) {
      const fields = names.map((name, column) => [name, words.map((w) => w[column]!)] as const);
      records.push({ line: start, fields: new Map<string, unknown>(fields) });
    }
    words = [];
    problem = undefined;
  };
  lines.forEach((text, index) => {
    const columns = columnsOf(text);
    if (text.trim() === '' || columns[0] === DOCUMENT) return end();
    if (problem || isComment(text, columns)) return;
    const why = problemOf(columns, width);
    if (why !== undefined) problem = { line: index + 1, problem: why };
    else if (words.push(columns) === 1) start = index + 1;
  });
  end();
  return { columns: names, records };
}

function problemOf(columns: readonly string[], width: number): string | undefined {
  if (columns.length === 1) return 'a word without a tag';
  if (columns.length !== width) return `${columns.length} columns where other lines have ${width}`;
  return columns.includes('') ? 'an empty column' : undefined;
}
