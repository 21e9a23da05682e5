import { AuroraError } from '../../base/errors';

/** A record has a few dozen numbers. */
const MOST_COLUMNS = 1000;

/** The columns in scalars.json, which include `step`. Throws AuroraError (`run`) for any other file. */
export function columnsOf(path: string, header: unknown): string[] {
  const columns = (header as { columns?: unknown } | null)?.columns;
  const known = Array.isArray(columns) && columns.length <= MOST_COLUMNS && columns.includes('step');
  if (known && columns.every((c) => typeof c === 'string')) return columns;
  throw new AuroraError(
    'run',
    `${path} does not name the columns of scalars.bin.`,
    'It was changed or damaged after it was written; restore it from a copy.',
  );
}
