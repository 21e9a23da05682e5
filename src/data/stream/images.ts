import type { DataSpec } from '../../experiment/experiment';
import type { Answered, Example } from '../dataset';
import type { ImageDataset, ImageExample } from '../image-dataset';
import { NOT_AN_IMAGE, type ImageSource } from '../images/source';
import type { ImageRow } from '../table/image-rows';
import { streamedExamples } from './examples';
import type { StreamedRows } from './rows';

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
