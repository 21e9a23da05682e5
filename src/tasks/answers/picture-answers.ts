import { pictureColumns, type PictureAnswers } from '../../protocol/answers/picture';
import type { Outputs } from '../../protocol/outputs';
import { noisyTargets } from '../pictures/noisy-rows';
import type { PictureExample } from '../pictures/picture-example';
import type { DataSplit } from '../task-data';
import { exampleColumns, rounded } from './predictions';

/** The mean squared error of a prediction for an example of an evaluation. */
export function rowLoss(example: PictureExample, prediction: Float32Array): number {
  const wanted = noisyTargets([example]).data as Float32Array;
  return prediction.reduce((sum, x, i) => sum + (x - wanted[i]!) ** 2, 0) / prediction.length;
}

/** @param kept of each example, in data order: its loss alone */
export function picturePredictions(
  split: DataSplit<PictureExample>,
  _: Outputs,
  kept: readonly Float32Array[],
): PictureAnswers {
  const { examples } = split.dataset;
  const columns = pictureColumns({
    ...exampleColumns(split),
    timestep: Array.from(examples, (e) => e.timestep!),
    loss: kept.map(([loss]) => rounded(loss!)),
    margin: kept.map(() => 0),
  });
  return { answer: 'picture', labels: [], columns };
}
