import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  filesOf,
  filesOfLater,
  isPattern,
  matchedBy,
  matching,
  missingShard,
  shardPattern,
} from '../../../src/files/pattern';
import { failure, rejection, temporaryFolder } from '../data/support';

const folder = temporaryFolder();
const names = (pattern: string) => filesOf(join(folder.path, pattern)).map((path) => basename(path));

describe('a pattern', () => {
  it('matches names in natural order, with dots and brackets as they are', () => {
    const all = [
      'part-10.csv',
      'part-2.csv',
      'part-02.csv',
      'Part-1.csv',
      'part-1.csv.gz',
      '.part-3.csv',
      'part-x+(1).csv',
    ];
    expect(matching('part-*.csv', all)).toEqual([
      'part-02.csv',
      'part-2.csv',
      'part-10.csv',
      'part-x+(1).csv',
    ]);
    expect(matching('part-?.csv', all)).toEqual(['part-2.csv']);
    expect(matching('part-x+(1).c*', all)).toEqual(['part-x+(1).csv']);
    expect(matching('a/.*', all)).toEqual(['.part-3.csv']);
    expect(matching('*b?c*', ['abxbyc', 'bc', 'b😀c'])).toEqual(['abxbyc', 'b😀c']);
  });

  it('with many wildcards takes no longer than others', () => {
    expect(matching(`${'*a'.repeat(60)}*b`, ['a'.repeat(250)])).toEqual([]);
  });

  it('takes no longer with names that state large sets of which nothing else matches', () => {
    const began = performance.now();
    // Also those of a pattern with a missing file, but too far from the first to look for.
    for (const [count, of, pattern] of [
      [300, 99_999, 'a*-00001-of-*'],
      [300, 99_999, `a*${'0'.repeat(200)}*`],
      [3000, 4e9, 'a*-1-of-*'],
    ] as const) {
      const all = Array.from({ length: count }, (_, i) => `a${i}-1-of-${of}.safetensors`);
      expect(missingShard(pattern, all)).toBeUndefined();
    }
    expect(missingShard('a*', ['a-1-of-99999.x'])).toBe('a-0-of-99999.x');
    const long = Array.from({ length: 3000 }, (_, i) => `${'1a'.repeat(100)}${i}`);
    expect(matching('1*', long)).toHaveLength(3000);
    // 25 s before there was a limit.
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('stands for the files in its folder, and for no folder', async () => {
    for (const name of ['b-1.jsonl', 'b-0.jsonl', 'c.jsonl']) folder.write(name, '{}');
    mkdirSync(join(folder.path, 'b-2.jsonl'));
    expect(names('b-*.jsonl')).toEqual(['b-0.jsonl', 'b-1.jsonl']);
    expect(await filesOfLater(join(folder.path, 'b-*.jsonl'))).toEqual(
      filesOf(join(folder.path, 'b-*.jsonl')),
    );
    expect(names('c.jsonl')).toEqual(['c.jsonl']);
    expect(matchedBy(join(folder.path, 'b-*.jsonl'))).toHaveLength(2);
  });

  it.skipIf(process.platform === 'win32')('is a name where a file has it', () => {
    const path = join(folder.path, 'what*.csv');
    expect(isPattern(path)).toBe(true);
    writeFileSync(path, '');
    folder.write('whatever.csv', '');
    expect([isPattern(path), filesOf(path)]).toEqual([false, [path]]);
  });

  it('that matches nothing is an error that names it and its folder', async () => {
    const path = join(folder.path, 'none-*.csv');
    expect(failure('data', () => filesOf(path))).toContain(`No file in ${folder.path} matches "none-*.csv".`);
    expect(await rejection('data', filesOfLater(path))).toContain('matches "none-*.csv"');
    expect(failure('data', () => filesOf(join(folder.path, 'gone', '*.csv')))).toContain('cannot be read');
    expect(matchedBy(path)).toEqual([path]);
  });

  it('that leaves a numbered set incomplete is an error that names the missing file', () => {
    for (const n of [0, 2]) folder.write(`train-0000${n}-of-00003.parquet`, '');
    const found = failure('data', () => filesOf(join(folder.path, 'train-*.parquet')));
    expect(found).toContain(`${folder.path} has no train-00001-of-00003.parquet`);
    expect(names('train-00000-*.parquet')).toEqual(['train-00000-of-00003.parquet']);
    expect(missingShard('*', ['a-00000-of-00002-0123456789abcdef.parquet'])).toMatch(/^a-00001-of-00002/);
    expect(missingShard('*', ['a-0-of-1.csv', 'b-00000-of-00001.csv', 'c.csv'])).toBeUndefined();
  });

  it('is that of the numbered set of a file', () => {
    expect(shardPattern('train-00002-of-00005.parquet')).toBe('train-*-of-00005.parquet');
    expect(shardPattern('train-00001-of-00002-2f70549ed86cbeba.parquet')).toBe('train-*-of-00002-*.parquet');
    expect(shardPattern('train-00000-of-00001.parquet')).toBeUndefined();
    expect(shardPattern('train.parquet')).toBeUndefined();
  });
});
