import { answeredOf as withoutTexts } from '../data/dataset';
import { choiceRows } from '../data/table/choice-rows';
import { DEFAULT_SCORING, isGenerated } from '../experiment/scoring';
import {
  requireChoices,
  choicePredictions,
  answeredOf,
  likelihood,
  mostFrequentChoice,
} from './choice-answers';
import { checkOutput } from './check-output';
import {
  choiceFormat,
  type ChoiceFormat,
  choiceText,
  type ChoiceSequence,
  type ChoiceText,
} from './choice-text';
import type { TaskKind } from './kind';
import { predictedTokens, targetCount, targetLabels } from './text/predicted-tokens';
import type { LoadData } from './task-data';
import { readsTexts, type TextData } from './text/text-data';

interface ChoiceData extends TextData<ChoiceText> {
  format: ChoiceFormat;
}

const { load, loadValidation, withoutRows, ...reader } = readsTexts({
  format: choiceRows,
  labels: () => [],
  known: (_, rows) => rows,
  stratum: () => '',
  encoder(tokenizer, _, spec) {
    const format = choiceFormat(spec);
    return (row, index) => choiceText(tokenizer, row, format, index);
  },
  // Only the part that a baseline reads: the rest of an example takes its text.
  answerer:
    () =>
    ({ answer, offered }) =>
      ({ answer, offered }) as ChoiceText,
  counted: (example) => predictedTokens(example).length,
});

const inFormat =
  (read: LoadData<TextData<ChoiceText>>): LoadData<ChoiceData> =>
  async (spec, ...rest) => ({ ...(await read(spec, ...rest)), format: choiceFormat(spec) });

/**
 * The right one of a question's own choices: the model's own logits; cross-entropy of the tokens of the right answer.
 * An evaluation compares how likely each choice is.
 */
export const multipleChoice = {
  objective: 'causal-lm',
  ...reader,
  load: inFormat(load),
  loadValidation: inFormat(loadValidation),
  withoutRows: inFormat(withoutRows),
  head: () => undefined,
  checkOutput: (spec, name, info) => checkOutput(spec, name, info, { axes: ['batch', 'sequence'] }),
  expected: targetLabels,
  weight: (example) => predictedTokens(example).length,
  compared: {
    sequences: (example: ChoiceText) => example.sequences(),
    keep: (sequence: ChoiceSequence, logits) => likelihood(sequence, logits),
    writing: (example: ChoiceText) => example.writing?.(),
  },
  scorer() {
    let right = 0;
    let examples = 0;
    return {
      add(example, kept) {
        if (answeredOf(example, kept).predicted === example.answer) right++;
        examples++;
      },
      metrics: () => ({ accuracy: right / examples, examples }),
    };
  },
  baseline: ({ train, validation }) =>
    mostFrequentChoice(withoutTexts(train.dataset.examples), withoutTexts(validation.dataset.examples)),
  guessLoss: ({ tokenizer }) => Math.log(tokenizer.vocabSize),
  facts: (examples) => ({ labels: {}, targets: targetCount(examples) }),
  findings: () => [],
  predictions: choicePredictions,
  ask(input, { tokenizer, format }, maxLength) {
    const choices = requireChoices(input, format);
    const question = { text: input.text, choices, answer: 0 };
    // A person sees the probability of each choice, also in a run that is scored by its writing.
    const scoring = isGenerated(format.scoring) ? DEFAULT_SCORING : format.scoring;
    const example = choiceText(tokenizer, question, { ...format, maxLength, scoring }, 0);
    return {
      example,
      answer: (kept) => ({ probabilities: [...answeredOf(example, kept).probabilities!], choices }),
    };
  },
} satisfies TaskKind<ChoiceText, ChoiceData>;
