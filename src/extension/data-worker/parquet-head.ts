import { AuroraError } from '../../base/errors';
import { addValue, HEAD_ROWS, type Column, type DataHead } from '../../table/head';
import { openParquet } from '../../table/parquet';

/** Of larger columns, such as images, only the name is shown: even of a few rows, all of a row group may be read. */
const MOST_BYTES = 64 * 2 ** 20;

/** The columns and first values of a Parquet file; undefined if it cannot be read. */
export async function readParquetHead(file: string): Promise<DataHead | undefined> {
  try {
    const table = await openParquet(file);
    const columns = new Map(table.columns.map((name): [string, Column] => [name, { name, values: [] }]));
    const small = table.columns.filter((name) => table.firstBytes(name) <= MOST_BYTES);
    let rows = 0;
    for await (const records of table.records(small, { start: 0, end: HEAD_ROWS }))
      for (const record of records) {
        rows++;
        if ('problem' in record) continue;
        for (const name of small) addValue(columns.get(name)!, record.fields.get(name));
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
