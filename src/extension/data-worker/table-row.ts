import { AuroraError } from '../../base/errors';
import { rowWord } from '../../protocol/row-place';
import { formatOf, readDataFile } from '../../table/data-files';
import { itemsOf } from '../../table/json';
import { openParquet } from '../../table/parquet';
import { count } from '../../base/number-text';

/** Characters that are shown of a row. */
const MOST = 2 ** 20;

/**
 * A row of a file whose rows are not lines, as JSON. Bytes are only counted.
 *
 * @param row its number, one-based
 * @throws AuroraError 'data' if the file cannot be read, or the row does not exist or is too long
 */
export async function readTableRow(file: string, row: number): Promise<string> {
  const text = formatOf(file) === 'parquet' ? await parquetRow(file, row) : itemOf(file, row);
  const name = `${rowWord(file)} ${row}`;
  if (text === undefined)
    throw new AuroraError(
      'data',
      `${file} has no ${name}.`,
      'The file was shortened after the run was made. Restore the original file to see this row.',
    );
  if (text.length > MOST)
    throw new AuroraError(
      'data',
      `${file}: ${name} is longer than ${count(MOST)} characters and is not shown.`,
    );
  return text;
}

async function parquetRow(file: string, row: number): Promise<string | undefined> {
  const table = await openParquet(file);
  for await (const [record] of table.records(table.columns, { start: row - 1, end: row }))
    return 'problem' in record
      ? record.problem
      : layOut(Object.fromEntries(table.columns.map((column) => [column, record.fields.get(column)])));
  return undefined;
}

function itemOf(file: string, row: number): string | undefined {
  const bytes = readDataFile(file);
  let n = 0;
  for (const { start, end } of itemsOf(file, bytes))
    if (++n === row) return layOut(JSON.parse(bytes.toString('utf8', start, end)));
  return undefined;
}

const layOut = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (v instanceof Uint8Array ? `${v.length} bytes` : v), 2);
