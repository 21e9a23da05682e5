import { AuroraError } from '../../base/errors';
import { addValue, HEAD_ROWS, type Column, type DataHead } from '../../table/head';
import { openParquet, type ParquetTable } from '../../table/parquet';

/**
 * The size of a column beyond which, as for images, only the name is shown: even for a few rows, all of a row group may
 * be read.
 */
const MOST_BYTES = 64 * 2 ** 20;

/** Characters of a value, of all values together, and of all names and problems: the extension host keeps them. */
const [MOST_VALUE, MOST_VALUES, MOST_NAMES] = [1000, 2 ** 22, 2 ** 20];

/**
 * The columns and first values of a Parquet file, with the reason at each column that cannot be read: the trainer reads
 * only the columns that an experiment names.
 *
 * @throws AuroraError 'data' if nothing of the file can be read
 */
export async function readParquetHead(file: string): Promise<DataHead | undefined> {
  const table = await openParquet(file);
  if (table.columns.join('').length > MOST_NAMES) return undefined;
  const columns: Column[] = [];
  let [left, problems] = [MOST_VALUES, MOST_NAMES];
  for (const name of table.columns) {
    const column: Column = { name, values: [] };
    columns.push(column);
    if (table.firstBytes(name) > MOST_BYTES) continue;
    try {
      left -= await readValues(table, column, left);
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      const problem = e.hint ? `${e.message} ${e.hint}` : e.message;
      if ((problems -= problem.length) < 0) return undefined;
      columns.splice(-1, 1, { name, values: [], problem });
    }
  }
  const rows = Math.min(table.rows, HEAD_ROWS);
  return { columns, rows, whole: rows === table.rows };
}

/** @returns the characters that were added, at most `most` and one row's */
async function readValues(table: ParquetTable, column: Column, most: number): Promise<number> {
  let length = 0;
  for await (const records of table.records([column.name], { start: 0, end: HEAD_ROWS }))
    for (const record of records) {
      if (length > most) return length;
      if ('fields' in record) length += addShort(column, record.fields.get(column.name));
    }
  return length;
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
