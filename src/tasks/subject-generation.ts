import { AuroraError } from '../base/errors';
import { DType } from '../graph/dtype';
import type { TaskKind } from './kind';
import { picturePredictions, rowLoss } from './answers';
import { noisyTargets, rowSizes, type PictureData, type PictureExample } from './pictures/picture-example';
import { pictureReader } from './pictures/picture-data';

/** Pictures of a subject: the noise in the latents of a few images, which a U-Net predicts; mean squared error. */
export const subjectGeneration = {
  objective: 'noise-mse',
  ...pictureReader,
  head: () => undefined,
  checkOutput({ model }, name, { dtype, shape }) {
    if (dtype === DType.float && shape.length === 4) return;
    throw new AuroraError(
      'model',
      `${model.path}: the output ${name} has the shape [${shape.join(', ')}], but the task needs the noise in latents, [batch, channels, height, width].`,
      'Choose a pipeline of diffusers, a folder with model_index.json and a U-Net.',
    );
  },
  expected: (examples, _, pass) => noisyTargets(examples, pass),
  weight: () => 1,
  inputSizes: ({ train, validation }) => {
    const [{ encoded } = {}] = [...train.dataset.examples, ...validation.dataset.examples];
    return encoded && rowSizes(encoded);
  },
  maskKeys: ({ examples }, indices) =>
    examples[0]?.classImages ? [...indices, ...indices.map((i) => examples.length + i)] : [...indices],
  weighsRows: ({ task, data }) => task.snrGamma !== undefined || data.classImages !== undefined,
  scorer() {
    let examples = 0;
    return { add: () => void examples++, metrics: () => ({ examples }) };
  },
  baseline({ validation: { dataset } }) {
    const targets = dataset.examples.map((example) => noisyTargets([example]).data as Float32Array);
    const squares = targets.map((t) => t.reduce((sum, x) => sum + x * x, 0) / t.length);
    const value = squares.reduce((sum, s) => sum + s, 0) / squares.length;
    return { answer: 'zero everywhere', metric: 'loss', value };
  },
  // The loss of a guess of zero everywhere: noise has a variance of 1, and so have latents, by their scaling factor.
  guessLoss: () => 1,
  facts(examples) {
    const all = [...examples];
    const images = new Set(all.map((e) => e.row)).size;
    const timesteps = new Set(all.flatMap((e) => e.timestep ?? [])).size;
    return { labels: {}, pictures: { images, classImages: all[0]?.classImages?.length ?? 0, timesteps } };
  },
  findings: () => [],
  keep: (example, logits) => Float32Array.of(rowLoss(example, logits)),
  predictions: picturePredictions,
} satisfies TaskKind<PictureExample, PictureData>;
