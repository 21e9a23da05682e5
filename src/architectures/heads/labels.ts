import { DType } from '../../graph/dtype';
import { counted } from '../blocks/text';
import { firstToken, headLinear, type Hidden } from './hidden';

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

/** transformers' GenericForSequenceClassification: the last token that is not padding. */
const onLastToken: LabelHead = (hidden) => {
  if (!has(hidden, 'score')) return undefined;
  const { net, config, states } = hidden;
  const rows = net.op('score', 'Shape', ['input_ids']);
  const real = config.has('pad_token_id')
    ? net.op('score', 'Not', [
        net.op('score', 'Equal', ['input_ids', net.g.scalar(config.index('pad_token_id'), DType.int64)]),
      ])
    : net.op('score', 'Cast', ['attention_mask'], { to: DType.bool });
  const places = net.op('score', 'Cast', [counted(net, rows)], { to: DType.float });
  const weight = net.op('score', 'Cast', [real], { to: DType.float });
  const last = net.op('score', 'ReduceMax', [net.op('score', 'Mul', [weight, places]), net.g.ints([1])], {
    keepdims: 1,
  });
  const isLast = net.op('score', 'Cast', [net.op('score', 'Equal', [places, last])], { to: DType.float });
  const one = net.op('score', 'Mul', [states, net.op('score', 'Unsqueeze', [isLast, net.g.ints([2])])]);
  const x = net.op('score', 'ReduceSum', [one, net.g.ints([1])], { keepdims: 0 });
  return { module: 'score', x, bias: false };
};

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
