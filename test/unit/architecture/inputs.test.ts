import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { sources } from './sources';

const ROOT = resolve(__dirname, '../../..');

/** Code that reads a run's model, tokenizer, pictures and data. */
const READERS = [
  'src/architectures',
  'src/data',
  'src/graph/file',
  'src/graph/onnx',
  'src/table',
  'src/tasks',
  'src/training/diffusion',
  'src/training/task',
];

/** Files there that may open others than inputs, or inputs that were seen before, and why. */
const OTHERS: Record<string, string> = {
  'src/data/copied-rows.ts': 'copies of rows',
  'src/data/stream/index-cache.ts': 'a cache',
  'src/data/stream/open-streamed.ts': 'the size of a data file that the experiment names',
  'src/data/stream/record-file.ts': 'data files that the experiment names, and copies of rows',
  'src/data/stream/parquet-spool.ts': 'copies of rows',
  'src/data/text/token-cache.ts': 'a cache',
  'src/architectures/folder/converted.ts': 'a cache of converted weights',
  'src/graph/file/kept-on-disk.ts': 'temporary files',
  'src/graph/file/place-weights.ts': 'links and copies in the run folder',
  'src/graph/file/save.ts': 'files that are written',
  'src/table/image-files.ts': 'the names in a folder, which is an input with all its files',
  'src/training/diffusion/encoded.ts': 'a cache',
};

/** Functions that open a file, or find out about one. Reading on in an open file, and naming one in an error, do not count. */
const OPENS =
  /^(?:readFile|readFileSync|open|openSync|createReadStream|exists|existsSync|stat|statSync|lstat|lstatSync|access|accessSync)$/;

/** The functions of Node's file system that a file imports. */
function imported(path: string): string[] {
  const text = readFileSync(resolve(ROOT, path), 'utf8');
  const imports = [...text.matchAll(/import (type )?([^;]*?) from 'node:fs(?:\/promises)?';/g)];
  return imports.flatMap(([, isType, names]) =>
    isType
      ? []
      : names!
          .replace(/[{}]/g, '')
          .split(',')
          .map((name) => name.trim().split(' as ')[0]!),
  );
}

const readers = READERS.flatMap((folder) => sources(folder)).filter((path) => !(path in OTHERS));

it('readers of models, tokenizers and data open files by src/files/inputs only', () => {
  const opened = readers.flatMap((path) =>
    imported(path)
      .filter((name) => OPENS.test(name) || name.startsWith('*'))
      .map((name) => `${path}: ${name}`),
  );
  expect(opened).toEqual([]);
});

it('no exception is left for a file that opens nothing', () => {
  const unneeded = Object.keys(OTHERS).filter((path) => !imported(path).some((name) => OPENS.test(name)));
  expect(unneeded).toEqual([]);
});
