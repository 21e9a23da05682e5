import { median } from '../../study/statistics/summary';
import { parseJson } from '../../files/json';
import { runPaths } from '../layout';
import { columnsOf } from '../curve/scalars-columns';
import { PATIENT, type RunFiles } from '../run-files';

/** The newest steps of a long run are representative. */
const MOST = 2000;

/**
 * The median seconds per step, which a pause of the machine or a concurrent evaluation does not affect. Undefined if no
 * step was recorded.
 */
export async function medianStepSeconds(run: string, files: RunFiles = PATIENT): Promise<number | undefined> {
  const { scalars, scalarColumns } = runPaths(run);
  const header = await files.read(scalarColumns);
  if (!header) return undefined;
  const columns = columnsOf(scalarColumns, parseJson(scalarColumns, header));
  const at = columns.indexOf('seconds');
  if (at < 0) return undefined;
  const bytes = await files.readLast(scalars, MOST, columns.length * 8);
  const records = bytes.byteLength / (columns.length * 8);
  const seconds = new Float64Array(records);
  for (let i = 0; i < records; i++) seconds[i] = bytes.readDoubleLE((i * columns.length + at) * 8);
  return records > 0 ? median(seconds) : undefined;
}
