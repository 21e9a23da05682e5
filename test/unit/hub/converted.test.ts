import { describe, expect, it } from 'vitest';
import { convertedSplits, splitPath } from '../../../src/hub/parquet-conversion';

const list = (...paths: string[]) => paths.map((path) => ({ path, size: 1 }));

describe('a data set that the hub has converted', () => {
  it('has its configurations and splits, each in one file or as a pattern', () => {
    const splits = convertedSplits(
      list(
        ...['.gitattributes', 'cola/train/0000.parquet', 'rte/test/0000.parquet', 'rte/train/0001.parquet'],
        ...['rte/train/0000.parquet', 'rte/validation/0000.parquet', 'rte/train/index.duckdb', 'README.md'],
      ),
    );
    expect(splits.map((s) => [s.config, s.split, s.partial, splitPath(s)])).toEqual([
      ['cola', 'train', false, 'cola/train/0000.parquet'],
      ['rte', 'train', false, 'rte/train/*.parquet'],
      ['rte', 'validation', false, 'rte/validation/0000.parquet'],
      ['rte', 'test', false, 'rte/test/0000.parquet'],
    ]);
    expect(splits[1].files.map(({ path }) => path)).toEqual([
      'rte/train/0000.parquet',
      'rte/train/0001.parquet',
    ]);
  });

  it('has no split whose first file is missing, as an interrupted download leaves it', () => {
    expect(convertedSplits(list('rte/train/0001.parquet', 'rte/test/0000.parquet'))).toMatchObject([
      { split: 'test' },
    ]);
  });

  it('may have only its beginning', () => {
    const [split] = convertedSplits(
      list('default/partial-train/0000.parquet', 'default/partial-train/0001.parquet'),
    );
    expect(split).toMatchObject({ config: 'default', split: 'train', partial: true });
    expect(splitPath(split)).toBe('default/partial-train/*.parquet');
  });
});
