import { mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { KeyCache } from '../../../src/files/inputs/key-cache';
import { imageKeys } from '../../../src/data/image-keys';
import type { ImageRow } from '../../../src/data/table/image-rows';
import { temporaryFolder } from './support';

const folder = temporaryFolder();
const write = (name: string, content: string) => {
  const path = folder.write(name, content);
  utimesSync(path, 1, 1);
  return path;
};
const row = (path: string): ImageRow => ({ text: path, label: 'x', line: 1, image: { path } });

it('the keys of image files are kept until one of them changes', async () => {
  const images = ['aa', 'bb', 'aa', 'c'].map((content, i) => write(`${i}.png`, content));
  const rows = images.map(row);
  await wait(100);
  const kept = mkdtempSync(join(folder.path, 'cache-'));
  const keys = () => {
    const keyOf = imageKeys([rows.slice(0, 2), rows.slice(2)], new KeyCache(kept, 2));
    return rows.map(keyOf);
  };
  const first = keys();
  expect(first).toEqual(imageKeysWithout(rows));
  expect([first[0] === first[2], new Set(first).size]).toEqual([true, 3]);
  const [file] = readdirSync(kept);
  expect(keys()).toEqual(first);
  expect(readdirSync(kept)).toEqual([file]);
  // A damaged file counts as missing.
  writeFileSync(join(kept, file!), readFileSync(join(kept, file!)).fill(0, 40, 44));
  expect(keys()).toEqual(first);
  write('1.png', 'aa');
  await wait(100);
  const again = keys();
  expect(again[1]).toBe(again[0]);
  expect(readdirSync(kept)).toHaveLength(2);
});

it('few images are read each time', () => {
  const read: string[] = [];
  const kept = mkdtempSync(join(folder.path, 'cache-'));
  const cache = new KeyCache(kept, 3);
  const readOne = (path: string) => (read.push(path), path);
  for (let i = 0; i < 2; i++) expect(cache.keysOf(['a', 'b'], readOne)).toEqual(['a', 'b']);
  expect([read.length, readdirSync(kept)]).toEqual([4, []]);
});

it('images that are kept are not read again', async () => {
  const paths = ['k0.png', 'k1.png'].map((name) => write(name, name));
  await wait(100);
  const kept = mkdtempSync(join(folder.path, 'cache-'));
  let read = 0;
  const readOne = (path: string) => (read++, path);
  for (let i = 0; i < 2; i++) expect(new KeyCache(kept, 2).keysOf(paths, readOne)).toEqual(paths);
  expect(read).toBe(2);
});

const imageKeysWithout = (rows: ImageRow[]) => {
  const none = new KeyCache(folder.path, Infinity);
  return rows.map(imageKeys([rows], none));
};
