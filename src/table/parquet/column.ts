import { isUtf8 } from 'node:buffer';
import { parquetScan, type AsyncBuffer, type FileMetaData, type RowGroup, type SchemaTree } from 'hyparquet';
import { CheckedPages, leafOf } from './pages';

/** Texts that are not valid UTF-8 stay bytes, and are then no texts. Days are written as such, without a time. */
const PARSERS = {
  stringFromBytes: (bytes?: Uint8Array) =>
    bytes && (isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : bytes),
  dateFromDays: (days: number) => iso(new Date(days * 864e5))?.replace('T00:00:00.000Z', ''),
};

/** Undefined for a time that JavaScript does not know. */
export const iso = (date: Date): string | undefined =>
  Number.isNaN(date.getTime()) ? undefined : date.toISOString();

/** A distance at which the library never reads two chunks as one. */
const APART = 2 ** 40;

/** A codec without a decompressor in the library, which then calls ours for every page, also for uncompressed ones. */
const CHECKED = 'LZO';

export interface ColumnPlace {
  metadata: FileMetaData;
  group: RowGroup;
  /** The column in the tree of the schema. */
  child: SchemaTree;
  /** The name of the column in messages. */
  where: string;
}

/**
 * The values of some rows of a column in one row group. The library gets nothing but the column's own chunks, after
 * their pages have been checked.
 *
 * @param rows from 0 in the row group, without the last one
 * @throws ExcessError, or the library's errors for damaged pages
 */
export async function readColumn(
  file: AsyncBuffer,
  { metadata, group, child, where }: ColumnPlace,
  rows: { start: number; end: number },
): Promise<ArrayLike<unknown>> {
  const column = child.element.name;
  const stated = { values: 0, bytes: 0 };
  const own = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === column);
  const stored = group.columns.reduce((sum, { meta_data }) => sum + sizeOf(meta_data), 0);
  const chunks: { bytes: ArrayBuffer; pages: CheckedPages }[] = [];
  for (const { meta_data, file_path } of own) {
    if (file_path) throw new Error('its values are in another file');
    const start = Number(meta_data!.dictionary_page_offset || meta_data!.data_page_offset);
    const bytes = await file.slice(start, start + sizeOf(meta_data));
    const leaf = leafOf(where, pathTo(child, meta_data!.path_in_schema));
    const values = Number(meta_data!.num_values);
    const pages = new CheckedPages(new Uint8Array(bytes), leaf, meta_data!.codec, values, stored, stated);
    chunks.push({ bytes: pages.end < bytes.byteLength ? bytes.slice(0, pages.end) : bytes, pages });
  }
  const scan = await parquetScan({
    file: {
      byteLength: APART * chunks.length,
      slice: (start) => chunks[Math.floor(start / APART)]!.bytes,
    },
    metadata: {
      ...metadata,
      schema: [{ ...metadata.schema[0]!, num_children: 1 }, ...elementsOf(child)],
      num_rows: group.num_rows,
      row_groups: [
        {
          ...group,
          columns: own.map(({ meta_data }, i) => ({
            file_offset: 0n,
            meta_data: {
              ...meta_data!,
              codec: CHECKED,
              dictionary_page_offset: undefined,
              data_page_offset: BigInt(i * APART),
              total_compressed_size: BigInt(chunks[i]!.bytes.byteLength),
            },
          })),
        },
      ],
    },
    columns: [column],
    compressors: { [CHECKED]: decompressor(chunks) },
    parsers: PARSERS,
    utf8: !hasBytes(child),
    useOffsetIndex: false,
  });
  return scan.readColumn({ column, rowStart: rows.start, rowEnd: rows.end });
}

/** By the buffer that a page is in. */
const decompressor =
  (chunks: readonly { bytes: ArrayBuffer; pages: CheckedPages }[]) => (input: Uint8Array, length: number) =>
    chunks.find(({ bytes }) => bytes === input.buffer)!.pages.decompress(input, length);

const sizeOf = (data: RowGroup['columns'][number]['meta_data']): number =>
  Number(data?.total_compressed_size ?? 0);

/** With a root, as the library has it. */
function pathTo(child: SchemaTree, names: readonly string[]): SchemaTree[] {
  const path = [child, child];
  for (const name of names.slice(1)) {
    const next = path.at(-1)!.children.find(({ element }) => element.name === name);
    if (!next) throw new Error(`a chunk belongs to no column`);
    path.push(next);
  }
  return path;
}

const elementsOf = ({ element, children }: SchemaTree): SchemaTree['element'][] => [
  element,
  ...children.flatMap(elementsOf),
];

/** True if a column has byte arrays that are not marked as texts: those stay bytes. */
const hasBytes = ({ element, children }: SchemaTree): boolean =>
  element.type === 'BYTE_ARRAY'
    ? element.converted_type === undefined && element.logical_type === undefined
    : children.some(hasBytes);
