import type { Tokenizer } from '../data/text/tokenizer';
import type { PlayVariant } from '../protocol/playground';
import { classifierLabels } from './labels';
import type { OpenedModel } from './model';
import { longestText, USUAL_LENGTH } from './model-files';
import { probabilitiesOf } from './probabilities';
import { openAnswers } from './session';
import type { Classifier } from './subject';
import { readText, textInputs, warmUpText, type ReadText } from './texts';

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
