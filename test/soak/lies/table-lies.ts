import { execFileSync } from 'node:child_process';
import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Draw } from '../draw';
import { tableReaders } from '../subjects';
import { deep, type Lies } from './lie';

/** Every format has its own file; only the one that is there is read. */
const NAMES = [
  'rows.csv',
  'rows.tsv',
  'rows.json',
  'rows.jsonl',
  'rows.conll',
  'rows.csv.gz',
  'rows.jsonl.gz',
];

const write = (name: string, text: (draw: Draw) => string | Buffer) => (draw: Draw, folder: string) =>
  writeFileSync(join(folder, name), text(draw));

const ROW = '{"text":"one","label":"x"}\n';
const LENGTHS = [1000, 100_000, 5_000_000];

export const tableLies: Lies = {
  name: 'table',
  readers: NAMES.flatMap((name) => {
    const [skipping, failing, head] = tableReaders(name);
    const there = (folder: string) => statSync(join(folder, name), { throwIfNoEntry: false });
    return [
      (folder: string) => there(folder) && skipping!(folder),
      (folder: string) => there(folder) && failing!(folder),
      // In the editor, what is not a file is an error of the file system.
      (folder: string) => there(folder)?.isFile() && head!(folder),
    ];
  }),
  lies: {
    'CSV: many columns': write(
      'rows.csv',
      (draw) => `${'c,'.repeat(draw.pick([1000, 300_000]))}text,label\n${'1,'.repeat(1000)}\n`,
    ),
    'CSV: a name of a column': write('rows.csv', (draw) => `${'c'.repeat(draw.pick(LENGTHS))},b\n1,2\n`),
    'CSV: an open quote': write(
      'rows.csv',
      (draw) => `text,label\n"${'x,y\n'.repeat(draw.pick([10, 500_000]))}`,
    ),
    'CSV: many quotes': write(
      'rows.csv',
      (draw) => `text,label\n${'"'.repeat(draw.pick([999, 1_000_001]))},x\n`,
    ),
    'CSV: a long value': write(
      'rows.csv',
      (draw) => `text,label\n${'v'.repeat(draw.pick(LENGTHS))},x\nb,y\n`,
    ),
    'CSV: long labels': write('rows.csv', (draw) => `text,label\na,${'v'.repeat(draw.pick(LENGTHS))}\nb,y\n`),
    'CSV: bytes of 0': write('rows.csv', () => Buffer.alloc(300_000)),
    'CSV: other encodings': write('rows.csv', (draw) => Buffer.from('text,label\nä,x\n', draw.pick<BufferEncoding>(['utf16le', 'latin1']))), // prettier-ignore
    'CSV: empty lines': write('rows.csv', () => `text,label\n${'\n'.repeat(1_000_000)}`),
    'TSV: many columns': write('rows.tsv', () => `${'c\t'.repeat(300_000)}text\tlabel\na\tb\n`),
    'JSONL: deep': write('rows.jsonl', (draw) => `${ROW}{"text":${deep('[', ']', '1', draw.pick([1000, 500_000]))},"label":"y"}\n`), // prettier-ignore
    'JSONL: numbers': write('rows.jsonl', (draw) => `${ROW}{"text":1e999,"label":${draw.pick(['NaN', 'Infinity', '-1e999', '1e-999', '9'.repeat(100_000)])}}\n`), // prettier-ignore
    'JSONL: many names': write('rows.jsonl', () => Array.from({ length: 3000 }, (_, i) => `{"text":"a","label":"b","c${i}":1}`).join('\n')), // prettier-ignore
    'JSONL: a long name': write('rows.jsonl', (draw) => `{"${'n'.repeat(draw.pick(LENGTHS))}":1}\n`),
    'JSONL: prototypes': write(
      'rows.jsonl',
      () => '{"__proto__":{"text":"a"},"constructor":1,"label":"x"}\n',
    ),
    'JSONL: one long line': write('rows.jsonl', (draw) => `{"text":"${'v'.repeat(draw.pick(LENGTHS))}`),
    'JSON: deep': write('rows.json', (draw) => deep('[', ']', '1', draw.pick([1000, 500_000]))),
    'JSON: deep rows': write(
      'rows.json',
      (draw) => `[{"text":${deep('{"a":', '}', '1', draw.pick([1000, 200_000]))}}]`,
    ),
    'JSON: never closed': write('rows.json', () => `[${'{"text":"a",'.repeat(100_000)}`),
    'JSON: only commas': write('rows.json', () => `[${','.repeat(1_000_000)}]`),
    'CoNLL: many columns': write('rows.conll', () => `${'c '.repeat(100_000)}\na b\n`),
    'CoNLL: a long sentence': write('rows.conll', () => 'a b\n'.repeat(300_000)),
    'CoNLL: ragged': write('rows.conll', () =>
      Array.from({ length: 3000 }, (_, i) => 'a '.repeat(1 + (i % 9))).join('\n'),
    ),
    'gzip: a bomb': write('rows.csv.gz', (draw) =>
      gzipSync(Buffer.alloc(draw.pick([2e6, 2e7, 1e8]), 'a,b\n')),
    ),
    'gzip: a bomb of rows': write('rows.jsonl.gz', () => gzipSync(Buffer.from(ROW.repeat(400_000)))),
    'gzip: its length': write('rows.csv.gz', (draw) => {
      const bytes = gzipSync('text,label\na,b\n');
      bytes.writeUInt32LE(draw.pick([0, 2 ** 31, 2 ** 32 - 1]), bytes.length - 4);
      return bytes;
    }),
    'gzip: more behind it': write('rows.csv.gz', (draw) => Buffer.concat([gzipSync('text,label\na,b\n'), draw.pick([Buffer.alloc(1000), gzipSync('c,d\n'), Buffer.from('x')])])), // prettier-ignore
    'gzip: gzip in gzip': write('rows.jsonl.gz', () => gzipSync(gzipSync(ROW))),
    'a pipe': (draw, folder) => execFileSync('mkfifo', [join(folder, draw.pick(NAMES))]),
    'a device': (draw, folder) =>
      symlinkSync(draw.pick(['/dev/zero', '/dev/null']), join(folder, draw.pick(NAMES))),
  },
};
