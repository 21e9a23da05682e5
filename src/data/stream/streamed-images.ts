import type { DataSpec } from '../../experiment/experiment';
import { formatOf } from '../../table/data-files';
import type { Answered, Example } from '../dataset';
import type { ImageDataset, ImageExample } from '../image-dataset';
import { imageKey } from '../image-keys';
import { imageProblem, type ImageSource, NOT_AN_IMAGE } from '../images/source';
import { imageFormat, type ImageRow, readImageRows } from '../table/image-rows';
import type { ReadOptions, Rows } from '../table/rows';
import type { ReadWatch } from './build-index';
import { streamedExamples } from './streamed-examples';
import { isLarge, openStreamed } from './open-streamed';
import type { StreamedRows } from './record-file';

/** `imageDataset` without reading anything: a worker reads an image from the copy of its row when it decodes it. */
export function streamedImages<E extends ImageExample>(
  rows: StreamedRows<ImageRow>,
  { imageColumn, onBadRow }: DataSpec,
  how: Pick<ImageDataset, 'plan' | 'side' | 'augmentation'>,
  exampleOf: (source: ImageSource, label: string, row: number) => E,
  answerOf: (row: ImageRow) => Omit<Answered<E>, keyof Example>,
): ImageDataset<E> {
  const { file, places } = rows;
  const making = {
    exampleAt(row: number) {
      const source = { copied: file.copied(places[row]!), column: imageColumn! };
      return exampleOf(source, file.marked(places[row]!).label, row);
    },
    answerOf,
  };
  return { ...streamedExamples(rows, onBadRow, () => NOT_AN_IMAGE, making), ...how };
}

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
