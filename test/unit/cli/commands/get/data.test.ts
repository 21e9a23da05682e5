import { expect, it } from 'vitest';
import { namedFiles } from '../../../../../src/cli/commands/get/data-download';
import type { RepoFile, RepoInfo } from '../../../../../src/hub/types';
import { commitOf } from '../../../../hub/repository';

const repository = (paths: readonly string[]): RepoInfo => {
  const commit = commitOf('data');
  const files = paths.map((path): RepoFile => ({ path, size: 1, gitSha1: commit }));
  return { kind: 'dataset', id: 'a/b', revision: 'main', commit, gated: false, private: false, files };
};
const named = (paths: readonly string[], path: string) =>
  namedFiles(repository(paths), path).files.map((file) => file.path);

it('finds files by path, by folder and by a pattern in one folder', () => {
  const paths = ['a-1.csv', 'x/a-10.csv', 'x/a-2.csv', 'x/y/a-3.csv', 'x/b.csv'];
  expect(named(paths, 'x/b.csv')).toEqual(['x/b.csv']);
  expect(named(paths, 'x')).toEqual(['x/a-10.csv', 'x/a-2.csv', 'x/y/a-3.csv', 'x/b.csv']);
  expect(named(paths, 'x/a-*.csv')).toEqual(['x/a-2.csv', 'x/a-10.csv']);
  expect(named(paths, 'a-*.csv')).toEqual(['a-1.csv']);
  expect(() => named(paths, 'z')).toThrow('a/b has no file z.');
});

it('finds a pattern’s files in a large folder without comparing each with each', () => {
  const paths = Array.from({ length: 60_000 }, (_, i) => `data/a-${i}.jpg`);
  const began = performance.now();
  expect(named(paths, 'data/*.jpg')).toHaveLength(60_000);
  expect(performance.now() - began).toBeLessThan(5000);
});
