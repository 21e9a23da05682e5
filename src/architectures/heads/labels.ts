import { activationOf } from '../blocks/activation';
import { firstToken, has, hasParts, headLinear, type LabelHead } from './hidden';
import { lastToken } from './last-token';
import { modernbertHead } from './modernbert';

/** BertForSequenceClassification. */
const pooled: LabelHead = (hidden) =>
  hidden.pooled && has(hidden, 'classifier')
    ? { module: 'classifier', ...hidden.pooled, bias: true }
    : undefined;

/** Two layers on the first token, as RobertaClassificationHead and DistilBertForSequenceClassification have them. */
const twoLayers =
  (first: string, activation: string, second: string): LabelHead =>
  (hidden) => {
    if (!has(hidden, first, second)) return undefined;
    const { net, size } = hidden;
    const dense = headLinear(hidden, first, { x: firstToken(hidden), size });
    return { module: second, x: net.op('classifier', activation, [dense.x]), size: dense.size, bias: true };
  };

/** DebertaV2ForSequenceClassification. Its ContextPooler applies `pooler_hidden_act`. */
const contextPooled: LabelHead = (hidden) => {
  const [first, second] = ['pooler.dense', 'classifier'];
  if (!has(hidden, first, second)) return undefined;
  const { net, config, size } = hidden;
  const dense = headLinear(hidden, first, { x: firstToken(hidden), size });
  const act = activationOf(config, 'pooler_hidden_act', 'gelu');
  return { module: second, x: act(net, 'pooler', dense.x), size: dense.size, bias: true };
};

const roberta = twoLayers('classifier.dense', 'Tanh', 'classifier.out_proj');

const ON_TEXTS: ReadonlyMap<string, LabelHead> = new Map([
  ['bert', pooled],
  ['albert', pooled],
  ['roberta', roberta],
  ['xlm-roberta', roberta],
  ['camembert', roberta],
  ['mpnet', roberta],
  ['electra', twoLayers('classifier.dense', 'Gelu', 'classifier.out_proj')],
  ['distilbert', twoLayers('pre_classifier', 'Relu', 'classifier')],
  ['deberta-v2', contextPooled],
  ['modernbert', modernbertHead.onTexts],
]);

/** Labels for a text: encoders as their class has it, decoders on the last token. */
export const onTexts: LabelHead = (hidden) => ON_TEXTS.get(hidden.type)?.(hidden) ?? onLastToken(hidden);

/** transformers' GenericForSequenceClassification: the last token that is not padding. */
const onLastToken: LabelHead = (hidden) =>
  hasParts(hidden, 'score', false)
    ? { module: 'score', x: lastToken(hidden), size: hidden.size, bias: false }
    : undefined;

/** For each token: a linear layer. */
export const onTokens: LabelHead = (hidden) => {
  if (hidden.type === 'modernbert') return modernbertHead.onTokens(hidden);
  const module = ['classifier', 'score'].find((m) => has(hidden, m));
  return module === undefined ? undefined : { module, x: hidden.states, size: hidden.size, bias: true };
};
