import {
  areColumns,
  arraysOf,
  COLUMNS,
  type AnswersInWords,
  type ParseAnswers,
  type ColumnsOf,
  type Lists,
} from './answer-kind';

/** An example is an image with one amount of noise. */
export const PICTURE_COLUMNS = {
  ...COLUMNS,
  /** Steps of the noise schedule, from 0: the later, the more noise. */
  timestep: Uint32Array,
} as const;
export type PictureColumns = ColumnsOf<typeof PICTURE_COLUMNS>;
export const pictureColumns = (lists: Lists): PictureColumns => arraysOf(PICTURE_COLUMNS, lists);

export interface PictureAnswers {
  answer: 'picture';
  /** Empty. */
  labels: string[];
  columns: PictureColumns;
}

export const parsePicture: ParseAnswers<PictureAnswers> = ({ labels, columns }) =>
  areColumns(columns, PICTURE_COLUMNS, {}, 1)
    ? { answer: 'picture', labels, columns: pictureColumns(columns) }
    : undefined;

export const pictureWords: AnswersInWords<PictureAnswers> = ({ columns: { timestep } }) => ({
  detail: (i) => `timestep ${timestep[i]}`,
  predicted: () => ({}),
});

/** The mean loss of some examples that have something in common. */
export interface PictureLoss {
  /** The timestep, or the line of the image. */
  key: number;
  count: number;
  loss: number;
}

/** The losses by timestep, in their order. */
export const lossByTimestep = ({ timestep, loss }: PictureColumns): PictureLoss[] =>
  meansBy(timestep, loss).sort((a, b) => a.key - b.key);

/** The losses by image, largest loss first. */
export const lossByImage = ({ line, loss }: PictureColumns): PictureLoss[] =>
  meansBy(line, loss).sort((a, b) => b.loss - a.loss);

function meansBy(keys: Uint32Array, losses: Float64Array): PictureLoss[] {
  const sums = new Map<number, PictureLoss>();
  keys.forEach((key, i) => {
    const sum = sums.get(key) ?? { key, count: 0, loss: 0 };
    sums.set(key, sum);
    sum.count++;
    sum.loss += losses[i];
  });
  return [...sums.values()].map(({ key, count, loss }) => ({ key, count, loss: loss / count }));
}
