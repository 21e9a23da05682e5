import type { PlayVariant } from '../../protocol/playground';
import { AuroraError } from '../../base/errors';
import type { HostTensor } from '../../engine/stepper';
import { imageSettings } from './image-settings';
import { classifierLabels } from '../labels';
import type { OpenedModel } from '../model';
import { imageTensor } from './preprocess';
import { black, requireImage } from './pictures';
import { probabilitiesOf } from '../probabilities';
import { openAnswers } from '../session';
import type { Classifier } from '../subject';

/** A model that labels images. */
export async function openImages(opened: OpenedModel): Promise<Classifier> {
  const { path, files, scale } = opened;
  const [input] = opened.inputs;
  const settings = imageSettings(input, path, files.preprocessor);
  const { preprocessing } = settings;
  const { width, height, shortestEdge } = preprocessing;
  const session = await openAnswers(path, opened.graph, opened.options);
  const run = (tensor: HostTensor, variant: PlayVariant) => session.run({ [input.name]: tensor }, variant);
  const { answer } = await run(imageTensor(black({ width, height }), preprocessing), 'adapted');
  if (answer.dims.slice(2).some((d) => d !== 1))
    throw new AuroraError(
      'model',
      `${path} returns [${answer.dims.join(', ')}] for one image; a classifier returns [1, labels].`,
      'The playground shows no masks, boxes or features: train or export a classifier.',
    );
  const { labels, assumed } = classifierLabels(opened, answer.data.length);
  return {
    facts: {
      ...opened.facts,
      input: 'image',
      answer: 'label',
      labels,
      image: { width, height, shortestEdge },
      assumed: [...assumed, ...settings.assumed],
    },
    variants: session.variants,
    async answer({ image }, variant) {
      const { answer, seconds } = await run(imageTensor(requireImage({ image }), preprocessing), variant);
      return { probabilities: probabilitiesOf(answer.data as Float32Array, scale), seconds };
    },
    dispose: () => session.dispose(),
  };
}
