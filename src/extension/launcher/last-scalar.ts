import { parseJson } from '../../files/json';
import { runPaths } from '../../runs/layout';
import { columnsOf } from '../../runs/curve/scalars-columns';
import { openIfThere, readIfThere } from '../../files/read';

/**
 * A column of the run's last complete record, with two small reads whatever the file's size. Undefined before the first
 * step, and if the run has no such column.
 */
export async function lastScalar(run: string, column: string): Promise<number | undefined> {
  const paths = runPaths(run);
  const header = await readIfThere(paths.scalarColumns);
  if (!header) return undefined;
  const columns = columnsOf(paths.scalarColumns, parseJson(paths.scalarColumns, header));
  const at = columns.indexOf(column);
  const handle = await openIfThere(paths.scalars).catch(() => undefined);
  if (!handle || at < 0) return handle?.close().then(() => undefined);
  try {
    const width = columns.length * 8;
    const records = Math.floor((await handle.stat()).size / width);
    if (records === 0) return undefined;
    const value = new Float64Array(1);
    const { bytesRead } = await handle.read(
      new Uint8Array(value.buffer),
      0,
      8,
      (records - 1) * width + at * 8,
    );
    return bytesRead === 8 ? value[0] : undefined;
  } finally {
    await handle.close();
  }
}
