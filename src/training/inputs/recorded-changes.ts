import { identifyData } from '../../files/identify-data';
import type { InputChange } from '../../protocol/events';
import { imageChanges, imagesIn } from '../../runs/image-set';
import type { ImageSet, InputFile } from '../../runs/input-file';

/**
 * The differences between recorded files and those that were read.
 *
 * @param expected the record; a file in it that was not read counts as the same, unless it is gone
 */
export function changesFrom(expected: readonly InputFile[], read: readonly InputFile[]): InputChange[] {
  const now = new Map(read.map((file) => [file.path, file]));
  return expected.flatMap((file): InputChange[] => {
    const { role, path, sha256: before } = file;
    const found = now.get(path);
    const isThere = found !== undefined || before === null || identifyData(path) !== undefined;
    const after = found ? found.sha256 : isThere ? before : null;
    return [
      ...(after === before ? [] : [{ role, path, before, after }]),
      ...(found && file.images ? changedImagesOf(file, file.images, found.images) : []),
    ];
  });
}

/** The images that data name differ only if the data do, or if an image is another one. */
export function changedImagesOf(
  { role, path }: Pick<InputFile, 'role' | 'path'>,
  before: ImageSet,
  after: ImageSet | undefined,
): InputChange[] {
  if (!after || before.sha256 === after.sha256) return [];
  const sums = new Map(imagesIn(path, after).map((image) => [image.path, image.sum]));
  const images = imagesIn(path, before);
  return imageChanges(
    role,
    images,
    images.map((image) => sums.get(image.path) ?? null),
  );
}
