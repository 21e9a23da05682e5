import { isAbsolute } from 'node:path';
import { AuroraError } from '../../base/errors';
import { useOf } from '../../data/images/source';
import { isLarge } from '../../data/stream/open';
import { imageField, type ImageRow, captionsFile, readPictureRows } from '../../data/table/image-rows';
import { readRows, type RowFormat } from '../../data/table/rows';
import { dataOfSet, evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';
import { statInput } from '../../files/inputs/open';
import { isFolder } from '../../files/tree';

/** Finds the images that the data of an experiment name. @throws AuroraError 'data' if the data cannot be read */
export async function seeImages(spec: Experiment): Promise<void> {
  await eachNamedImage(spec, ({ image }) => {
    if ('path' in image) statInput(image.path, useOf(image));
  });
}

/** @throws AuroraError 'data' if a file names images by absolute paths, which another machine does not have */
export async function refuseAbsoluteImages(spec: Experiment): Promise<void> {
  await eachNamedImage(spec, ({ text, image }, table) => {
    if ('path' in image && isAbsolute(text))
      throw new AuroraError(
        'data',
        `${table} names images by absolute paths, such as ${text}, which the cluster does not have.`,
        'Write paths relative to the folder of that file.',
      );
  });
}

type NamedImage = Pick<ImageRow, 'text' | 'image'>;

/** Rows that cannot be used are the trainer's own to report. */
async function eachNamedImage(
  spec: Experiment,
  found: (row: NamedImage, table: string) => void,
): Promise<void> {
  const pictures = describeTask(spec.task.type).answer === 'picture';
  for (const data of dataFiles(spec.data)) {
    const captions = pictures ? captionsFile(data.train) : undefined;
    if (captions === undefined && !namesImages(data)) continue;
    const options = { ...data, onBadRow: 'skip' } as const;
    try {
      const rows =
        captions === undefined
          ? await readRows(data.train, options, format(data.train))
          : await readPictureRows(data.train, options);
      for (const row of rows.rows) found(row as NamedImage, captions ?? data.train);
    } catch (e) {
      if (!(e instanceof AuroraError && e.kind === 'emptyData')) throw e;
    }
  }
}

/** The data, with each of its files as that for training. */
function dataFiles(data: DataSpec): DataSpec[] {
  const { validation, classImages } = data;
  const others = [validation, classImages].flatMap((train) =>
    train === undefined ? [] : [{ ...data, train }],
  );
  return [
    data,
    ...others,
    ...evaluationSets(data).map((set) => ({ ...dataOfSet(data, set), train: set.path })),
  ];
}

/** Large Parquet files have the images themselves. */
const namesImages = ({ train, imageColumn }: DataSpec): boolean =>
  imageColumn !== undefined && !isFolder(train) && !(/\.parquet$/i.test(train) && isLarge(train));

const format = (path: string): RowFormat<ImageRow> => ({
  required: () => ['imageColumn'],
  rowOf(fields, { imageColumn }) {
    const image = imageField(path, fields, imageColumn!);
    return 'problem' in image ? image : { ...image, label: '' };
  },
});
