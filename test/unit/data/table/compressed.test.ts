import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readRows } from '../../../../src/data/table/rows';
import { temporaryFolder } from '../support';

const folder = temporaryFolder();
const read = (rows: number) =>
  readRows(folder.write('rows.csv.gz', gzipSync(`text,label\n${'a,b\n'.repeat(rows)}`)), {
    ...{ textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' },
  });

it('a small compressed file cannot hold millions of rows', async () => {
  expect((await read(1000)).rows).toHaveLength(1000);
  await expect(read(5_000_000)).rejects.toMatchObject({
    kind: 'data',
    message: expect.stringContaining('rows.csv.gz is too large') as string,
  });
});
