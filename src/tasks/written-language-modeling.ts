import { answeredOf } from '../data/dataset';
import type { MetricName } from '../experiment/metrics';
import { WRITTEN_SCORINGS } from '../experiment/scoring';
import { ratio } from '../experiment/scores/ratio';
import type { Baseline } from '../protocol/baseline';
import { keptLogits } from './answers';
import type { Scorer, TaskKind } from './kind';
import { perplexity } from './metrics/token-scores';
import { packedTexts } from './text/language-text';
import { nextTokenLoss, readsLanguage } from './text/reads-language';
import { requireAnswers } from './text/reference-answers';
import type { TextData, TextSplit } from './text/text-data';
import {
  type AnswerFormat,
  answerFormat,
  judged,
  tokenOutcomes,
  writtenIn,
  type WrittenText,
  writtenText,
} from './text/written-text';
import { writtenPredictions } from './written-predictions';

interface WrittenData extends TextData<WrittenText> {
  format: AnswerFormat;
}

const { load, loadValidation, withoutRows, ...reader } = readsLanguage((tokenizer, spec) => {
  const format = answerFormat(tokenizer, spec);
  return (row, index) => writtenText(tokenizer, row, format, index);
});

/**
 * Language modeling with task.scoring: an evaluation also has the model write an answer to each prompt. Training is that of
 * plain language modeling.
 */
export const writtenLanguageModeling = {
  ...nextTokenLoss,
  ...reader,
  async load(spec, ...rest) {
    const data = await load(spec, ...rest);
    const format = answerFormat(data.tokenizer, spec);
    const found = requireAnswers(spec, data.validation, format);
    const messages = found.map(({ message }) => message);
    return {
      ...data,
      format,
      assumed: [...data.assumed, ...found],
      warnings: [...data.warnings, ...messages],
    };
  },
  async loadValidation(spec, ...rest) {
    const data = await loadValidation(spec, ...rest);
    const format = answerFormat(data.tokenizer, spec);
    const messages = requireAnswers(spec, data.validation, format).map(({ message }) => message);
    return { ...data, format, warnings: [...data.warnings, ...messages] };
  },
  async withoutRows(spec, ...rest) {
    const data = await withoutRows(spec, ...rest);
    return { ...data, format: answerFormat(data.tokenizer, spec) };
  },
  // Rows of several texts are only trained on.
  pack: (dataset, { model, training }) =>
    packedTexts(dataset, model.maxLength, training.seed) as typeof dataset,
  compared: {
    sequences: (example: WrittenText) => [example],
    keep: ({ targets }: WrittenText, logits) => Array.from(keptLogits(targets, logits, 1)),
    writing: (example: WrittenText) => example.writing(),
    apart: true,
  },
  scorer: writtenScorer,
  baseline: mostFrequentAnswer,
  predictions: writtenPredictions,
} satisfies TaskKind<WrittenText, WrittenData>;

/** Perplexity and token accuracy of the answers in the data and, if all answers were written, the share of right ones. */
function writtenScorer(): Scorer<WrittenText> {
  const right = new Map<MetricName, number>();
  let [examples, written, tokens, likeliest] = [0, 0, 0, 0];
  return {
    add(example, kept) {
      examples++;
      const known = tokenOutcomes(example, kept);
      tokens += known.answered;
      likeliest += known.right;
      const text = writtenIn(example, kept);
      if (text === undefined) return;
      written++;
      judged(example, text).forEach((outcome, i) => {
        const metric = WRITTEN_SCORINGS[example.format.scorings[i]];
        right.set(metric, (right.get(metric) ?? 0) + Number(outcome.right));
      });
    },
    metrics: (loss) => ({
      ...(written === examples &&
        Object.fromEntries([...right].map(([metric, n]) => [metric, ratio(n, written)] as const))),
      perplexity: perplexity(loss),
      tokenAccuracy: ratio(likeliest, tokens),
      examples,
    }),
  };
}

/** If there are more examples, the most frequent answer is that of the first ones. */
const COUNTED_EXAMPLES = 10_000;

/** Always the most frequent answer of the training data, as the first method of task.scoring finds it; the first at ties. */
function mostFrequentAnswer({ train, validation, format }: WrittenData): Baseline {
  const answers = function* ({ rows, dataset }: TextSplit<WrittenText>, most: number) {
    let n = 0;
    for (const { row } of answeredOf(dataset.examples)) {
      if (n++ === most) return;
      const [answer] = format.read(rows.at(row)!.label);
      yield answer;
    }
  };
  const counts = new Map<string, number>();
  for (const answer of answers(train, COUNTED_EXAMPLES))
    if (answer !== undefined) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const [most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
  let [right, all] = [0, 0];
  for (const answer of answers(validation, Infinity)) {
    if (answer === most) right++;
    all++;
  }
  const shown = most.length > SHOWN ? `${most.slice(0, SHOWN)}…` : most;
  return {
    answer: `always "${shown}"`,
    metric: WRITTEN_SCORINGS[format.scorings[0]],
    value: ratio(right, all),
  };
}

/** Characters shown of an answer. */
const SHOWN = 40;
