import { lossByImage, lossByTimestep } from '../../../src/protocol/errors-view/picture-losses';
import type { PictureAnswers } from '../../../src/protocol/predictions';

export const pictureParts = ({ answer, columns }: PictureAnswers) => ({
  answer,
  columns,
  byTimestep: lossByTimestep(columns),
  byImage: lossByImage(columns),
});
