import { AuroraError } from '../../base/errors';
import { addValue, HEAD_ROWS, type Column, type DataHead } from '../../table/head';
import { openParquet } from '../../table/parquet';

/** Of larger columns, such as images, only the name is shown: even of a few rows, all of a row group may be read. */
const MOST_BYTES = 64 * 2 ** 20;

/** Characters of a value, of all values together, and of all names: the extension host keeps them. */
const [MOST_VALUE, MOST_VALUES, MOST_NAMES] = [1000, 2 ** 22, 2 ** 20];

/** The columns and first values of a Parquet file; undefined if it cannot be read. */
export async function readParquetHead(file: string): Promise<DataHead | undefined> {
  try {
    const table = await openParquet(file);
    if (table.columns.join('').length > MOST_NAMES) return undefined;
    const columns = new Map(table.columns.map((name): [string, Column] => [name, { name, values: [] }]));
    const small = table.columns.filter((name) => table.firstBytes(name) <= MOST_BYTES);
    let [rows, length] = [0, 0];
    for await (const records of table.records(small, { start: 0, end: HEAD_ROWS }))
      for (const record of records) {
        if (length > MOST_VALUES) break;
        rows++;
        if ('problem' in record) continue;
        for (const name of small) {
          length += addShort(columns.get(name)!, record.fields.get(name));
        }
      }
    return {
      columns: [...columns.values()],
      rows,
      whole: rows === table.rows,
    };
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}

/** @returns the characters that were added */
function addShort(column: Column, value: unknown): number {
  const before = column.values.length;
  addValue(column, Array.isArray(value) ? value.slice(0, MOST_VALUE) : value);
  let length = 0;
  for (let i = before; i < column.values.length; i++) {
    column.values[i] = column.values[i]!.slice(0, MOST_VALUE);
    length += column.values[i]!.length + 1;
  }
  return length;
}
