import { DuckDBInstance } from '@duckdb/node-api';

/** Runs SQL in a fresh database in memory: an independent writer of Parquet files. */
export async function duckdb(...statements: string[]): Promise<void> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  database.closeSync();
}

/** A string of SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Writes the result of a query. `options` as COPY has them, such as "compression zstd". */
export const writeParquet = (path: string, query: string, ...options: string[]): Promise<void> =>
  duckdb(`copy (${query}) to ${quoted(path)} (${['format parquet', ...options].join(', ')})`);
