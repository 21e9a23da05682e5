import { filesOf } from '../../files/pattern';

/** The columns of a Parquet file, or of the first of several, and those whose labels it names. */
export async function describedColumns(path: string): Promise<{ columns: string[]; labelled: string[] }> {
  const { columns, labelNames } = await (await import('../../table/parquet')).openParquet(filesOf(path)[0]!);
  return { columns, labelled: columns.filter((column) => labelNames?.(column) !== undefined) };
}
