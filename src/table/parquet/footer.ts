import { parquetMetadata, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import {
  excess,
  ExcessError,
  MOST_DECIMAL,
  MOST_FOOTER,
  MOST_FOOTER_VALUES,
  MOST_LEVELS,
  mostRows,
} from './limits';
import { ThriftCheck, type ThriftFields } from './thrift';

/** Fields of the footer's structures. */
const [SCHEMA, ROW_GROUPS, COLUMNS, META_DATA, STATISTICS] = [2, 4, 1, 3, 12];
const [TYPE, CHILDREN, CONVERTED] = [1, 5, 6];
const DECIMAL = 5;

/**
 * The metadata of a Parquet file, checked before and after the library has read it: its structures, how deeply columns
 * are nested, that its column chunks lie in the file and share no bytes, and that it is large enough for its rows.
 *
 * @throws ExcessError if it states too much, Error if it is damaged
 */
export async function readFooter(file: AsyncBuffer): Promise<FileMetaData> {
  const size = file.byteLength;
  const length = new DataView(await file.slice(size - 8, size)).getUint32(0, true);
  if (length > size - 8)
    throw new Error(`parquet metadata length ${length} exceeds available buffer ${size - 8}`);
  if (length > MOST_FOOTER) throw excess('its footer', length, 'bytes', size);
  const footer = new Uint8Array(await file.slice(size - 8 - length, size));
  checkStructures(footer.subarray(0, length));
  const metadata = parquetMetadata(footer, { geoparquet: false });
  checkRowGroups(metadata, size);
  return metadata;
}

/** Statistics of decimals are numbers, which take quadratic time to read. */
function checkStructures(footer: Uint8Array): void {
  const long = new Set<number>();
  const check = new ThriftCheck(footer, 0, MOST_FOOTER_VALUES, (path, length) => {
    const [groups, , columns, column, data, statistics] = path;
    if (
      length > MOST_DECIMAL &&
      groups === ROW_GROUPS &&
      columns === COLUMNS &&
      data === META_DATA &&
      statistics === STATISTICS
    )
      long.add(column!);
  });
  const { lists } = check.read(([field]) => field === undefined || field === SCHEMA);
  const schema = lists.get(SCHEMA) ?? [];
  checkNesting(schema);
  const columns = schema.filter(({ numbers }) => numbers.has(TYPE));
  for (const column of long)
    if (columns[column]?.numbers.get(CONVERTED) === DECIMAL)
      throw new Error(`a statistic of a decimal has more than ${MOST_DECIMAL} bytes`);
}

/** Elements come in the depth-first order of their tree, each with its number of children. */
function checkNesting(schema: readonly ThriftFields[]): void {
  const open: number[] = [];
  for (const { numbers } of schema) {
    while (open.at(-1) === 0) open.pop();
    if (open.length > 0) open[open.length - 1]!--;
    const children = numbers.get(CHILDREN) ?? 0;
    if (children < 0 || children > schema.length) throw new Error(`a column has ${children} parts`);
    if (children > 0) open.push(children);
    if (open.length > MOST_LEVELS)
      throw new ExcessError(`a column is nested more than ${MOST_LEVELS} levels deep`);
  }
}

function checkRowGroups({ num_rows, row_groups }: FileMetaData, size: number): void {
  const rows = Number(num_rows);
  let [sum, bytes] = [0, 0];
  for (const group of row_groups) {
    const own = Number(group.num_rows);
    if (!(own >= 0)) throw new Error(`a row group has ${own} rows`);
    sum += own;
    for (const { meta_data } of group.columns) {
      if (!meta_data) continue;
      const stored = Number(meta_data.total_compressed_size);
      const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
      if (!(start >= 0 && stored >= 0 && start + stored <= size))
        throw new Error(`a column chunk is not in the file`);
      bytes += stored;
    }
  }
  if (sum !== rows) throw new Error(`its row groups have ${sum} rows, and not ${rows}`);
  if (rows > mostRows(size)) throw excess('it', rows, 'rows', size);
  if (bytes > size) throw new Error('its column chunks overlap');
}
