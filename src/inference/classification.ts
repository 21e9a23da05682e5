import { AuroraError } from '../base/errors';
import type { Tokenizer } from '../data/text/tokenizer';
import type { PlayVariant } from '../protocol/play-question';
import { softmax } from '../tasks/softmax';
import { requireFinite } from '../training/task/finite-output';
import type { OpenedModel } from './open-model';
import { longestText, USUAL_LENGTH } from './model-files';
import { readText, type ReadText, textInputs, warmUpText } from './questions';
import { openAnswers } from './answer-session';
import type { Classifier } from './subject';

/** A model that labels texts. */
export async function openTexts(opened: OpenedModel, tokenizer: Tokenizer): Promise<Classifier> {
  const session = await openAnswers(opened.path, opened.graph, opened.options);
  const run = (dataset: ReadText['dataset'], variant: PlayVariant) =>
    session.run(textInputs(dataset, opened.inputs), variant);
  const { answer } = await run(warmUpText(tokenizer.padId), 'adapted');
  const { labels, assumed } = classifierLabels(opened, answer.data.length);
  const longest = longestText(opened.files);
  if (longest === undefined)
    assumed.push(`The model’s maximum length is not stated. Texts are truncated to ${USUAL_LENGTH} tokens.`);
  return {
    facts: { ...opened.facts, input: 'text', answer: 'label', labels, assumed },
    variants: session.variants,
    async answer(question, variant) {
      const { dataset, ...read } = readText(question, tokenizer, longest ?? USUAL_LENGTH);
      const { answer, seconds } = await run(dataset, variant);
      return {
        probabilities: probabilitiesOf(answer.data as Float32Array, opened.scale),
        seconds,
        ...read,
      };
    },
    dispose: () => session.dispose(),
  };
}

/**
 * The labels of a classifier with the given number of outputs, and the assumptions about them. Our own adapters include
 * them; otherwise they come from config.json beside the model.
 *
 * @throws AuroraError 'model' for a model with one output, or none
 */
export function classifierLabels(
  { path, adapter, files }: Pick<OpenedModel, 'path' | 'adapter' | 'files'>,
  count: number,
): { labels: string[]; assumed: string[] } {
  if (count < 2)
    throw new AuroraError(
      'model',
      `${path} gives ${count === 1 ? 'one number' : 'no number'} for each input; a classifier gives one for each of its labels.`,
      'The playground cannot show a regression model without a run.',
    );
  const own = adapter?.own?.labels;
  if (own?.length === count) return { labels: [...own], assumed: [] };
  const named = (files.config.id2label ?? {}) as Record<string, unknown>;
  const known = Object.keys(named).length;
  const labels = Array.from({ length: count }, (_, i) => named[i]);
  if (known === count && labels.every((l) => typeof l === 'string')) return { labels, assumed: [] };
  const why =
    known === 0
      ? 'No config.json with label names was found next to the model'
      : `config.json names ${known} labels, but the model has ${count}`;
  return { labels: labels.map((_, i) => String(i)), assumed: [`${why}; label indices are shown instead.`] };
}

/** The output of a classifier: logits with one true label, logits with independent labels, or probabilities. */
export type Scale = 'one-label' | 'each-label' | 'probabilities';

export function probabilitiesOf(values: ArrayLike<number>, scale: Scale): number[] {
  const numbers = Array.from(values);
  requireFinite(numbers);
  if (scale === 'probabilities') return numbers;
  return scale === 'one-label' ? [...softmax(numbers)] : numbers.map((v) => 1 / (1 + Math.exp(-v)));
}
