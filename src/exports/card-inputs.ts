import { describeTask } from '../experiment/tasks/registry';
import type { Task } from '../training/task/task';

/** The input of a model, by its shape, in the words of the card. */
interface CardInput {
  /** The preparation of inputs in training, as a sentence of the section on data. */
  prepared: string;
  /** The content of an ONNX model's inputs, at the end of a sentence. */
  holds: string;
  /** The arguments of the model and of the head after the hidden states, in Python. */
  inputs: string;
  headInputs: string;
}

/** The trained graph predicts noise; a pipeline of diffusers prepares its inputs. */
const PICTURES: CardInput = {
  prepared: 'Images are resized, and cropped to a square, as diffusers’ DreamBooth scripts do.',
  holds: 'latents, timesteps and what the text encoders give, as diffusers’ pipelines feed them',
  inputs: 'sample, timestep, encoder_hidden_states',
  headInputs: '',
};

export function cardInput({ spec: { task, model } }: Task): CardInput {
  if (describeTask(task.type).answer === 'picture') return PICTURES;
  if (describeTask(task.type).input === 'image')
    return {
      prepared: 'Images are resized and normalized as in `preprocessor_config.json` of the base model.',
      holds: 'images, prepared as in `preprocessor_config.json`',
      inputs: 'pixel_values',
      headInputs: 'hidden',
    };
  return {
    prepared: `Texts are truncated to ${model.maxLength} tokens.`,
    holds: `token ids from \`tokenizer.json\`, at most ${model.maxLength} per text`,
    inputs: 'input_ids, attention_mask',
    headInputs: 'hidden, attention_mask',
  };
}
