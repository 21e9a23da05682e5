import { filesOf } from '../../files/pattern';

/** The columns that a Parquet file describes. */
export interface DescribedColumns {
  columns: string[];
  /** The columns whose labels it names. */
  labelled: string[];
  /** The names of a column's labels, in the order of their numbers. */
  labelNames(column: string): readonly string[] | undefined;
}

/** The columns of a Parquet file, or of the first of several. */
export async function describedColumns(path: string): Promise<DescribedColumns> {
  const table = await (await import('../../table/parquet')).openParquet(filesOf(path)[0]!);
  const labelNames = (column: string) => table.labelNames?.(column);
  const { columns } = table;
  return { columns, labelled: columns.filter((column) => labelNames(column) !== undefined), labelNames };
}
