import { languageRows, type LanguageRow } from '../../data/table/language-rows';
import type { Tokenizer } from '../../data/text/tokenizer';
import type { Experiment } from '../../experiment/experiment';
import { outOfTemplate } from '../../experiment/prompt-template';
import { checkOutput } from '../check-output';
import type { LanguageOptions, LanguageText } from './language-text';
import { predictedTokens, targetCount, targetLabels } from './predicted-tokens';
import { readsTexts, type TextKind } from './text-data';

/** Reads texts, prompts with completions, or conversations, as the examples that `encoder` makes of them. */
export const readsLanguage = <E extends LanguageText>(
  encoder: (tokenizer: Tokenizer, spec: Experiment) => (row: LanguageRow, index: number) => E,
) =>
  readsTexts<LanguageRow, E>({
    format: languageRows,
    labels: () => [],
    known: (_, rows) => rows,
    stratum: () => '',
    encoder: (tokenizer, _, spec) => encoder(tokenizer, spec),
    counted: (example) => predictedTokens(example).length,
    asked: ({ text, label }, { data: { promptTemplate } }) => ({
      text: promptTemplate === undefined ? text : outOfTemplate(promptTemplate, text),
      label,
    }),
  });

export const languageOptions = ({ model, task }: Experiment): LanguageOptions => ({
  maxLength: model.maxLength,
  lossOn: task.lossOn ?? 'answers',
});

/** A language model's own logits, and the cross-entropy of the tokens that count. */
export const nextTokenLoss = {
  objective: 'causal-lm' as const,
  head: () => undefined,
  checkOutput: (spec, name, info) => checkOutput(spec, name, info, { axes: ['batch', 'sequence'] }),
  expected: targetLabels,
  weight: (example) => predictedTokens(example).length,
  guessLoss: ({ tokenizer }) => Math.log(tokenizer.vocabSize),
  facts: (examples) => ({ labels: {}, targets: targetCount(examples) }),
  findings: () => [],
} satisfies Partial<TextKind<LanguageText>>;
