import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PURE, FOLDERS } from '../../../scripts/lib/folders.mjs';
import { folderOf, importsBelow, packagesBelow, sources } from './sources';

const topOf = (path: string): string => path.split('/')[1];
const files = sources('src');
/** Files directly in src belong to no folder. */
const folders = [...new Set(files.map(folderOf))].filter((folder) => folder !== 'src');

describe('imports between the folders of src', () => {
  it('follow the allowed directions, dynamic imports included', () => {
    const wrong = importsBelow('src').filter(({ from, to }) => {
      const [top, other] = [topOf(from), topOf(to)];
      return top !== other && top in FOLDERS && !FOLDERS[top].includes(other);
    });
    expect(wrong).toEqual([]);
    expect([...new Set(folders.map(topOf))].sort()).toEqual(Object.keys(FOLDERS).sort());
  });

  it('in pages refer only to pure folders of src', () => {
    const wrong = importsBelow('webview').filter(
      ({ to }) => to.startsWith('src/') && !PURE.includes(topOf(to)),
    );
    expect(wrong).toEqual([]);
  });
});

it('the extension host imports nothing but types of graph', () => {
  const values = sources('src/extension').filter((path) =>
    /^import (?!type )[^;]*from '[./]+\/graph\//m.test(readFileSync(path, 'utf8')),
  );
  expect(values).toEqual([]);
});

it('only src/data/images imports sharp, dynamic imports included', () => {
  const importers = packagesBelow('src').filter(({ to }) => to === 'sharp');
  expect([...new Set(importers.map(({ from }) => folderOf(from)))]).toEqual(['src/data/images']);
});
