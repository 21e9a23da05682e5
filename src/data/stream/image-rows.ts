import { imageProblem } from '../images/source';
import { imageKey } from '../image-keys';
import { imageFormat, readImageRows, type ImageRow } from '../table/image-rows';
import type { ReadOptions, Rows } from '../table/rows';
import { formatOf } from '../../table/files';
import type { ReadWatch } from './build';
import { isLarge, openStreamed } from './open';

/** Thrown for a file that names its images: they can change without it, so nothing of them is kept in an index. */
class NamesFiles extends Error {}

/** Images with their labels: those of large Parquet files stay on disk. */
export async function imageRows(
  path: string,
  options: ReadOptions,
  watch?: ReadWatch,
): Promise<Rows<ImageRow>> {
  if (formatOf(path) !== 'parquet' || !isLarge(path)) return readImageRows(path, options);
  try {
    return await openStreamed<ImageRow>(path, {
      format: imageFormat(path),
      options,
      reads: { images: 1 },
      measure({ image }) {
        if (!('bytes' in image)) throw new NamesFiles();
        // A row that is not an image has nothing to learn.
        return { size: imageProblem(image) === undefined ? 1 : 0, ids: { length: 1 } };
      },
      keyOf: imageKey,
      watch,
    });
  } catch (e) {
    if (e instanceof NamesFiles) return readImageRows(path, options);
    throw e;
  }
}
