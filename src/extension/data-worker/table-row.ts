import { AuroraError } from '../../base/errors';
import { rowWord } from '../../protocol/row-place';
import { openParquet } from '../../table/parquet';

/** Characters that are shown of a row. */
const MOST = 2 ** 20;

/**
 * One row of a file whose rows are not lines, as JSON. Bytes are only counted.
 *
 * @param row its number, one-based
 * @throws AuroraError 'data' if the file cannot be read, or the row does not exist or is too long
 */
export async function readTableRow(file: string, row: number): Promise<string> {
  const table = await openParquet(file);
  for await (const [record] of table.records(table.columns, { start: row - 1, end: row })) {
    const text =
      'problem' in record
        ? record.problem
        : shown(new Map(table.columns.map((c) => [c, record.fields.get(c)])));
    if (text.length <= MOST) return text;
    throw new AuroraError(
      'data',
      `${file}: ${rowWord(file)} ${row} is longer than ${MOST.toLocaleString('en-US')} characters and is not shown.`,
    );
  }
  throw new AuroraError(
    'data',
    `${file} has no ${rowWord(file)} ${row}.`,
    'The file was shortened after the run was made. Restore the original file to see this row.',
  );
}

const shown = (fields: ReadonlyMap<string, unknown>): string =>
  JSON.stringify(
    Object.fromEntries(fields),
    (_, value: unknown) => (value instanceof Uint8Array ? `${value.length} bytes` : value),
    2,
  );
