import { makeInputs } from '../data/batch';
import { encodeRow, textExample } from '../data/dataset';
import { languageRows } from '../data/table/language-rows';
import { askMasks, withMask, inPass, maskedText, maskingOf, type MaskedText } from './text/masked-text';
import { checkOutput } from './check-output';
import { keptLogits, languagePredictions } from './answers';
import {
  mostFrequentToken,
  predictedTokens,
  targetCount,
  targetLabels,
  tokenScorer,
} from './text/predicted-tokens';
import { shownText } from './text/shown-text';
import { readsTexts, type TextKind } from './text/text-data';

/** Hidden tokens of a text: the model's own logits; cross-entropy of the tokens that were chosen to be predicted. */
export const maskedLanguageModeling = {
  objective: 'token-cross-entropy',
  ...readsTexts({
    format: languageRows,
    labels: () => [],
    known: (_, rows) => rows,
    stratum: () => '',
    encoder(tokenizer, _, { model, training }) {
      const masking = maskingOf(tokenizer);
      return (row, index) => {
        const text = textExample(encodeRow(tokenizer, row, model.maxLength), index);
        return maskedText(text, masking, training.seed);
      };
    },
    counted: (example) => predictedTokens(example).length,
    own: ({ whole }) => whole,
    asked({ text, line }, { model, training }, tokenizer) {
      const { text: masked, hidden } = withMask(text, tokenizer, model.maxLength, training.seed, line);
      return { text: masked, label: hidden };
    },
  }),
  inputs(dataset, indices, wanted, length, pass) {
    const examples = inPass(
      indices.map((i) => dataset.examples.at(i)!),
      pass,
    );
    return makeInputs({ ...dataset, examples }, [...examples.keys()], wanted, length);
  },
  varies: () => true,
  // The text's own words: a mask has no place in it.
  shown({ tokenizer }, { rows, dataset }, index) {
    const example = dataset.examples.at(index)!;
    return shownText(rows.at(example.row)!, { ...example, ids: example.whole }, tokenizer);
  },
  head: () => undefined,
  checkOutput: (spec, name, info) => checkOutput(spec, name, info, { axes: ['batch', 'sequence'] }),
  expected: (examples, length, pass) => targetLabels(inPass(examples, pass), length),
  weight: (example) => predictedTokens(example).length,
  scorer: () => tokenScorer(0),
  baseline: mostFrequentToken,
  guessLoss: ({ tokenizer }) => Math.log(tokenizer.vocabSize),
  facts: (examples) => ({ labels: {}, targets: targetCount(examples) }),
  findings: () => [],
  keep: ({ targets }, logits) => keptLogits(targets, logits, 0),
  predictions: languagePredictions,
  mask: ({ tokenizer }) => tokenizer.maskToken!,
  ask: (input, { tokenizer }, maxLength) => askMasks(input, tokenizer, maxLength),
} satisfies TextKind<MaskedText>;
