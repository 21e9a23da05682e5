import { median } from '../../study/statistics/summary';
import { parseJson } from '../../files/json';
import { runPaths } from '../layout';
import { columnsOf } from '../curve/scalars-columns';
import { openIfThere, readIfThere } from '../../files/read';

/** The newest steps of a long run are representative. */
const MOST = 2000;

/**
 * The median seconds per step, which a pause of the machine or a concurrent evaluation does not affect. Undefined if no
 * step was recorded.
 */
export async function medianStepSeconds(run: string): Promise<number | undefined> {
  const { scalars, scalarColumns } = runPaths(run);
  const header = await readIfThere(scalarColumns);
  if (!header) return undefined;
  const columns = columnsOf(scalarColumns, parseJson(scalarColumns, header));
  const at = columns.indexOf('seconds');
  if (at < 0) return undefined;
  const bytes = await tail(scalars, columns.length * 8);
  const records = bytes.byteLength / (columns.length * 8);
  const seconds = Array.from({ length: records }, (_, i) =>
    bytes.readDoubleLE((i * columns.length + at) * 8),
  );
  return seconds.length > 0 ? median(seconds) : undefined;
}

/** The last complete records of a file; empty if the file is missing. */
async function tail(path: string, width: number): Promise<Buffer> {
  const file = await openIfThere(path);
  if (!file) return Buffer.alloc(0);
  try {
    const records = Math.floor((await file.stat()).size / width);
    const from = Math.max(0, records - MOST);
    const bytes = Buffer.alloc((records - from) * width);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from * width);
    return bytes.subarray(0, Math.floor(bytesRead / width) * width);
  } finally {
    await file.close();
  }
}
