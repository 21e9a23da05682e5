import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folderOf, sources } from './sources';

/** What a reader takes in at once. Twenty files are the aim for a folder; only tables of similar things have more. */
const MOST_FILES = 25;
const MOST_LINES = 400;

const files = [...sources('src'), ...sources('webview')];

it(`no folder holds more than ${MOST_FILES} files directly`, () => {
  const counts = new Map<string, number>();
  for (const path of files) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > MOST_FILES)).toEqual([]);
});

it(`no file has more than ${MOST_LINES} lines`, () => {
  const long = files.filter((path) => readFileSync(path, 'utf8').split('\n').length - 1 > MOST_LINES);
  expect(long).toEqual([]);
});
