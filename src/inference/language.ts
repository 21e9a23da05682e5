import { AuroraError } from '../base/errors';
import type { Tokenizer } from '../data/text/tokenizer';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { PlayVariant } from '../protocol/play-question';
import { askMasks, maskingOf } from '../tasks/text/masked-text';
import { requireFinite } from '../training/task/finite-output';
import type { AnswerGraph } from './graph';
import type { OpenedModel } from './open-model';
import { endTokens, longestText, type ModelFiles, USUAL_LENGTH } from './model-files';
import { oneText, questionTexts, type ReadText, textInputs, warmUpText } from './questions';
import { openAnswers } from './answer-session';
import type { Classifier, LanguageModel, Question } from './subject';

/** A model that scores every possible next token. */
export async function openLanguageModel(opened: OpenedModel, tokenizer: Tokenizer): Promise<LanguageModel> {
  const { path, files, inputs } = opened;
  const session = await openAnswers(path, lastPosition(opened.graph), opened.options);
  const run = async (dataset: ReadText['dataset'], variant: PlayVariant) => {
    const { answer, seconds } = await session.run(textInputs(dataset, inputs), variant);
    return { logits: answer.data as Float32Array, seconds };
  };
  const { logits } = await run(warmUpText(tokenizer.padId), 'adapted');
  if (logits.length < tokenizer.vocabSize)
    throw new AuroraError(
      'model',
      `${path} returns ${logits.length} values for each token, but the vocabulary has ${tokenizer.vocabSize} tokens: it is not a language model.`,
      'The playground supports language models with the output [batch, sequence, vocabulary], and classifiers with the output [batch, labels].',
    );
  const ends = endTokens(files, tokenizer);
  const longest = longestText(files);
  return {
    facts: {
      ...opened.facts,
      input: 'text',
      answer: 'text',
      labels: [],
      assumed:
        ends.size > 0
          ? []
          : [
              'No end-of-text token is specified next to the model; generation stops at the maximum number of tokens.',
            ],
    },
    variants: session.variants,
    encode: (text) => tokenizer.encode(text, Infinity).ids,
    decode: tokenizer.decode,
    async next(ids, variant) {
      const { logits, seconds } = await run(oneText(ids, tokenizer.padId), variant);
      requireFinite(logits);
      // Embeddings are often padded to a round number; those rows mean nothing.
      return { logits: logits.subarray(0, tokenizer.vocabSize), seconds };
    },
    ends,
    longest,
    dispose: () => session.dispose(),
  };
}

/**
 * The graph outputs only the last position's logits. If they come from a product with a weight, the others are not even
 * computed: for a long text, they are most of the work.
 */
function lastPosition({ model, answers, ...rest }: AnswerGraph): AnswerGraph {
  const { graph } = model;
  const g = new GraphBuilder({ ...graph, nodes: [...graph.nodes] }, '/play/last');
  const lastOf = (tensor: string) => g.op('Gather', [tensor, g.scalar(-1, DType.int64)], { axis: 1 });
  const maker = graph.nodes.find((n) => n.outputs[0] === answers.adapted);
  const [hidden, weight] = maker?.inputs ?? [];
  const isProduct = maker?.opType === 'MatMul' && graph.initializers.get(weight)?.dims.length === 2;
  const last = isProduct ? g.op('MatMul', [lastOf(hidden), weight]) : lastOf(answers.adapted);
  return { ...rest, model: { ...model, graph: g.graph }, answers: { adapted: last, base: last } };
}

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
        'Use the tokenizer that came with the model.',
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
