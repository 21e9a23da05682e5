import { AuroraError } from '../../base/errors';
import type { Size } from '../../data/images/image';
import { outputSize } from '../../data/images/plan';
import { readPreprocessing, type ParsedPreprocessing } from '../../data/images/settings';
import type { Experiment } from '../../experiment/experiment';
import { DType, dtypeName } from '../../graph/dtype';
import type { Model } from '../../graph/model';
import { modelInputs } from '../task-data';

/**
 * The preprocessing of images for an experiment's model.
 *
 * @throws AuroraError 'model' if the model has another input than one of images, if there is no
 *   preprocessor_config.json, or if the two do not agree on the size
 */
export function imageInput(spec: Experiment, model: Model): { settings: ParsedPreprocessing; side: Size } {
  const { path, preprocessor } = spec.model;
  const inputs = modelInputs(model);
  const [input] = inputs;
  const shape = input?.shape;
  if (inputs.length !== 1 || (shape && shape.length !== 4))
    throw new AuroraError(
      'model',
      `${path} has the inputs ${inputs.map((i) => i.name).join(', ')}, but images fill a single one of [batch, 3, height, width].`,
      'Choose a model that reads images, or the task.type that fits the model.',
    );
  if (input.dtype !== 0 && input.dtype !== DType.float)
    throw new AuroraError(
      'model',
      `${path}: the input ${input.name} is ${dtypeName(input.dtype)}, not float32.`,
      'Export the model in float32.',
    );
  const [batch, channels, ...sides] = shape ?? [undefined, 3];
  const fail = (why: string, hint: string) =>
    new AuroraError(
      'model',
      `${path}: the input ${input.name} is [${shape!.map((d) => d ?? '?').join(', ')}]: ${why}.`,
      hint,
    );
  if (typeof batch === 'number')
    throw fail('the batch axis is fixed', 'Export the model again with a dynamic batch axis.');
  if (typeof channels === 'number' && channels !== 3)
    throw fail('images have 3 channels', 'Export a model for color images; gray ones are read as such.');
  const settings = readPreprocessing(preprocessor!);
  const side = outputSize(settings.preprocessing);
  if (!side)
    throw new AuroraError(
      'model',
      `${preprocessor}: the size of a preprocessed image depends on its aspect ratio, so images do not fit into a batch.`,
      'Set "do_center_crop" and "crop_size", or "size" with "height" and "width".',
    );
  const [height = side.height, width = side.width] = sides.map((d) =>
    typeof d === 'number' ? d : undefined,
  );
  if (height !== side.height || width !== side.width)
    throw fail(
      `preprocessor_config.json makes images of ${side.width} × ${side.height}`,
      'Use the preprocessor_config.json of this model (model.preprocessor).',
    );
  return { settings, side };
}
