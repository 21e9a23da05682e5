import { firstToken, headLinear, type Hidden } from './hidden';
import { lastToken } from './last-token';

/** The last layer of a head, which gives the logits, and what it reads: (batch, size), or the states of all tokens. */
interface LastLayer {
  module: string;
  x: string;
  bias: boolean;
}

/** Undefined if the folder does not have its weights. */
export type LabelHead = (hidden: Hidden) => LastLayer | undefined;

const has = ({ net }: Hidden, ...modules: string[]): boolean =>
  modules.every((module) => net.weights.has(`${module}.weight`, true));

/** BertForSequenceClassification. */
const pooled: LabelHead = (hidden) =>
  hidden.pooled !== undefined && has(hidden, 'classifier')
    ? { module: 'classifier', x: hidden.pooled, bias: true }
    : undefined;

/** Two layers on the first token, as RobertaClassificationHead and DistilBertForSequenceClassification have them. */
const twoLayers =
  (first: string, activation: string, second: string): LabelHead =>
  (hidden) => {
    if (!has(hidden, first, second)) return undefined;
    const dense = headLinear(hidden, first, firstToken(hidden), hidden.size);
    return { module: second, x: hidden.net.op('classifier', activation, [dense]), bias: true };
  };

const roberta = twoLayers('classifier.dense', 'Tanh', 'classifier.out_proj');

const ON_TEXTS: ReadonlyMap<string, LabelHead> = new Map([
  ['bert', pooled],
  ['roberta', roberta],
  ['xlm-roberta', roberta],
  ['camembert', roberta],
  ['mpnet', roberta],
  ['electra', twoLayers('classifier.dense', 'Gelu', 'classifier.out_proj')],
  ['distilbert', twoLayers('pre_classifier', 'Relu', 'classifier')],
]);

/** For a text: of encoders as their class has it, of decoders on the last token. */
export const onTexts: LabelHead = (hidden) => ON_TEXTS.get(hidden.type)?.(hidden) ?? onLastToken(hidden);

const onLastToken: LabelHead = (hidden) =>
  has(hidden, 'score') ? { module: 'score', x: lastToken(hidden), bias: false } : undefined;

/** For each token: a linear layer. ModernBERT has another one before it. */
export const onTokens: LabelHead = (hidden) => {
  const module = ['classifier', 'score'].find((m) => has(hidden, m));
  if (module === undefined || has(hidden, 'head.dense')) return undefined;
  return { module, x: hidden.states, bias: true };
};

/** ViTForImageClassification: the first token. */
export const onImages: LabelHead = (hidden) =>
  ['vit', 'deit'].includes(hidden.type) && has(hidden, 'classifier')
    ? { module: 'classifier', x: firstToken(hidden), bias: true }
    : undefined;
