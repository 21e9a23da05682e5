import { expect, it } from 'vitest';
import { namedRow, rowPlace, rowWords } from '../../../src/protocol/row-place';

it('a row has a line in a text file, and a number in a Parquet file or a JSON array', () => {
  expect(
    ['a.csv', 'a.jsonl.gz', 'a.PARQUET', 'a.json', 'a.json.gz'].map((file) => rowPlace(file, 3)),
  ).toEqual(['a.csv:3', 'a.jsonl.gz:3', 'a.PARQUET, row 3', 'a.json, item 3', 'a.json.gz, item 3']);
  expect(namedRow('a.parquet', 3)).toBe('a.parquet, row 3');
  expect(namedRow('a.csv', 3)).toBe('a.csv, line 3');
});

it('rows of several files have one word', () => {
  expect(rowWords('a.csv', 'b.tsv')).toBe('lines');
  expect(rowWords('a.parquet')).toBe('rows');
  expect(rowWords('a.json', 'b.json')).toBe('items');
  expect(rowWords('a.json', 'b.csv')).toBe('rows');
});
