import type { Tokenizer } from '../../data/text/tokenizer';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { AuroraError } from '../../base/errors';
import type { PlayVariant } from '../../protocol/playground';
import type { AnswerGraph } from '../graph';
import type { OpenedModel } from '../model';
import { endTokens, longestText } from '../model-files';
import { requireFinite } from '../../training/task/finite-output';
import { openAnswers } from '../session';
import type { LanguageModel } from '../subject';
import { oneText, textInputs, warmUpText, type ReadText } from '../texts';

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
