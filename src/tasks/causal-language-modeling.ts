import { keptLogits, languagePredictions } from './answers';
import { languageText, type LanguageText, packedTexts } from './text/language-text';
import { mostFrequentToken, tokenScorer } from './text/predicted-tokens';
import { languageOptions, nextTokenLoss, readsLanguage } from './text/reads-language';
import type { TextKind } from './text/text-data';

/** The next token of a text: the model's own logits; cross-entropy of the tokens that count. */
export const causalLanguageModeling = {
  ...nextTokenLoss,
  ...readsLanguage((tokenizer, spec) => {
    const options = languageOptions(spec);
    return (row, index) => languageText(tokenizer, row, options, index);
  }),
  pack: (dataset, { model, training }) => packedTexts(dataset, model.maxLength, training.seed),
  scorer: () => tokenScorer(1),
  baseline: mostFrequentToken,
  keep: ({ targets }, logits) => keptLogits(targets, logits, 1),
  predictions: languagePredictions,
} satisfies TextKind<LanguageText>;
