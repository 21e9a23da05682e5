import { readsImages } from '../../experiment/image-inputs';
import { TASKS, type TaskName } from '../../experiment/tasks/registry';
import type { TaskDescription } from '../../experiment/tasks/kind';
import type { KnownModel } from '../models/known-model';

/**
 * The kinds of task that a model can be trained for, by its inputs and outputs: an image model reads one input of four
 * axes or patches, a U-Net a timestep, and only logits for each token predict tokens.
 */
export function possibleTasks(model: KnownModel): TaskName[] {
  const names = Object.keys(TASKS) as TaskName[];
  return names.filter((name) => isPossible(TASKS[name], model));
}

function isPossible({ input, answer, head }: TaskDescription, model: KnownModel): boolean {
  const { inputs } = model;
  const isUnet = inputs.some(({ name }) => name === 'timestep');
  if (isUnet || answer === 'picture') return isUnet && answer === 'picture';
  const isImages = readsImages(inputs);
  if (isImages || input === 'image') return isImages && input === 'image';
  if (head) return true;
  if (!model.outputs.some(isPerToken)) return false;
  // It is unknown which tokens a position of an ONNX file sees.
  return model.family === undefined || (answer === 'tokens') !== (model.decoder === true);
}

/** True if an output may be logits over a vocabulary: of three axes, and not named as hidden states. */
const isPerToken = ({ name, shape }: KnownModel['outputs'][number]): boolean =>
  (shape === undefined || shape.length === 3) && !/hidden|embed/i.test(name);
