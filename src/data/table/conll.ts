import { isUtf8 } from 'node:buffer';
import { INVALID_UTF8, type DataRecord, type Records } from './records';

/** The columns of the words and, the last one, of their tags; columns between them go by their number, from 2. */
export const CONLL_WORDS = 'tokens';
export const CONLL_TAGS = 'tags';

/** Marks the start of a document in CoNLL-2003; it is not a sentence. */
const DOCUMENT = '-DOCSTART-';

/**
 * Sentences in CoNLL's column format: one word per line, its columns separated by tabs or spaces, and an empty line
 * after each sentence (Tjong Kim Sang and De Meulder, 2003). Lines that start with # and have other columns than the
 * words are comments, as in CoNLL-U. The fields of a record are lists, one value per word.
 */
export function parseConll(bytes: Buffer): Records {
  if (!isUtf8(bytes)) return { columns: [], records: [{ line: 1, problem: INVALID_UTF8 }] };
  const records: DataRecord[] = [];
  let width: number | undefined;
  let names: string[] = [];
  let words: string[][] = [];
  let start = 0;
  let problem: { line: number; problem: string } | undefined;
  const end = () => {
    if (problem) records.push(problem);
    else if (words.length > 0 && words[0]![0] !== DOCUMENT) {
      const fields = names.map((name, column) => [name, words.map((w) => w[column]!)] as const);
      records.push({ line: start, fields: new Map<string, unknown>(fields) });
    }
    words = [];
    problem = undefined;
  };
  bytes
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .forEach((text, index) => {
      if (text.trim() === '') return end();
      const columns = text.includes('\t') ? text.split('\t').map((c) => c.trim()) : text.trim().split(/\s+/);
      const isComment = text.startsWith('#') && !text.includes('\t') && columns.length !== width;
      if (isComment || problem) return;
      if (width === undefined && columns.length > 1) {
        width = columns.length;
        names = columns.map((_, i) =>
          i === 0 ? CONLL_WORDS : i === width! - 1 ? CONLL_TAGS : String(i + 1),
        );
      }
      if (words.length === 0) start = index + 1;
      if (columns.length !== width || columns.includes(''))
        problem = {
          line: index + 1,
          problem:
            width === undefined
              ? 'a word without a tag'
              : columns.includes('')
                ? 'an empty column'
                : `${columns.length} columns where the lines before have ${width}`,
        };
      else words.push(columns);
    });
  end();
  return { columns: names, records };
}
