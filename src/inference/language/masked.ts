import type { Tokenizer } from '../../data/text/tokenizer';
import { AuroraError } from '../../base/errors';
import type { PlayVariant } from '../../protocol/playground';
import { askMasks, maskingOf } from '../../tasks/text/masked-text';
import type { OpenedModel } from '../model';
import { longestText, USUAL_LENGTH, type ModelFiles } from '../model-files';
import { requireFinite } from '../../training/task/finite-output';
import { openAnswers } from '../session';
import type { Classifier, Question } from '../subject';
import { oneText, questionTexts, textInputs } from '../texts';

/** True according to config.json: a language model that writes has the same outputs, but does not see later tokens. */
export const fillsMasks = ({ config }: ModelFiles): boolean =>
  [config.architectures].flat().some((a) => /ForMaskedLM$/.test(String(a)));

/**
 * A model that predicts the masked tokens of a text.
 *
 * @throws AuroraError 'tokenizer' without a mask token
 */
export async function openMasked(opened: OpenedModel, tokenizer: Tokenizer): Promise<Classifier> {
  const { path, files, inputs, graph, options } = opened;
  maskingOf(tokenizer);
  const session = await openAnswers(path, graph, options);
  const longest = longestText(files);
  const answer = async (question: Question, variant: PlayVariant) => {
    const { example, ...asked } = askMasks(questionTexts(question), tokenizer, longest ?? USUAL_LENGTH);
    const { ids, typeIds, size, truncated = false } = example;
    const dataset = oneText([...ids], tokenizer.padId, typeIds && [...typeIds]);
    const { answer, seconds } = await session.run(textInputs(dataset, inputs), variant);
    const logits = answer.data as Float32Array;
    requireFinite(logits);
    if (logits.length / size < tokenizer.vocabSize)
      throw new AuroraError(
        'model',
        `${path} gives ${logits.length / size} numbers for each token, and its tokenizer has ${tokenizer.vocabSize} of them, so it is not a language model.`,
        'Use the tokenizer.json that came with the model.',
      );
    return { ...asked.answer(logits), seconds, tokens: size, truncated };
  };
  const mask = tokenizer.maskToken!;
  await answer({ text: mask }, 'adapted');
  return {
    facts: {
      ...opened.facts,
      input: 'text',
      answer: 'tokens',
      labels: [],
      mask,
      assumed:
        longest === undefined
          ? [`The model’s maximum length is not stated. Texts are truncated to ${USUAL_LENGTH} tokens.`]
          : [],
    },
    variants: session.variants,
    answer,
    dispose: () => session.dispose(),
  };
}
