/** The columns of a Parquet file, and those whose labels it names. */
export async function describedColumns(path: string): Promise<{ columns: string[]; labelled: string[] }> {
  const { columns, labelNames } = await (await import('../../table/parquet')).openParquet(path);
  return { columns, labelled: columns.filter((column) => labelNames?.(column) !== undefined) };
}
