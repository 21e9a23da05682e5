import { outOfTemplate } from '../experiment/prompt-template';
import { languageRows } from '../data/table/language-rows';
import { checkOutput } from './check-output';
import { languagePredictions, keptLogits } from './answers';
import { languageText, type LanguageText, packedTexts } from './text/language-text';
import {
  mostFrequentToken,
  predictedTokens,
  targetCount,
  targetLabels,
  tokenScorer,
} from './text/predicted-tokens';
import { readsTexts, type TextKind } from './text/text-data';

/** The next token of a text: the model's own logits; cross-entropy of the tokens that count. */
export const causalLanguageModeling = {
  objective: 'causal-lm',
  ...readsTexts({
    format: languageRows,
    labels: () => [],
    known: (_, rows) => rows,
    stratum: () => '',
    encoder: (tokenizer, _, { model, task }) => {
      const options = { maxLength: model.maxLength, lossOn: task.lossOn ?? 'answers' };
      return (row, index) => languageText(tokenizer, row, options, index);
    },
    counted: (example) => predictedTokens(example).length,
    asked: ({ text, label }, { data: { promptTemplate } }) => ({
      text: promptTemplate === undefined ? text : outOfTemplate(promptTemplate, text),
      label,
    }),
  }),
  head: () => undefined,
  checkOutput: (spec, name, info) => checkOutput(spec, name, info, { axes: ['batch', 'sequence'] }),
  expected: targetLabels,
  weight: (example) => predictedTokens(example).length,
  pack: (dataset, { model, training }) => packedTexts(dataset, model.maxLength, training.seed),
  scorer: () => tokenScorer(1),
  baseline: mostFrequentToken,
  guessLoss: ({ tokenizer }) => Math.log(tokenizer.vocabSize),
  facts: (examples) => ({ labels: {}, targets: targetCount(examples) }),
  findings: () => [],
  keep: ({ targets }, logits) => keptLogits(targets, logits, 1),
  predictions: languagePredictions,
} satisfies TextKind<LanguageText>;
