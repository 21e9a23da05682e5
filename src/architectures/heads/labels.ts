import { DType } from '../../graph/dtype';
import { counted } from '../blocks/text';
import { firstToken, headLinear, type Hidden } from './hidden';

/** Logits of labels: (batch, labels), or (batch, sequence, labels) for those of tokens. */
export type LabelHead = (hidden: Hidden) => string | undefined;

const has = ({ net }: Hidden, ...modules: string[]): boolean =>
  modules.every((module) => net.weights.has(`${module}.weight`, true));

/** BertForSequenceClassification. */
const pooled: LabelHead = (hidden) =>
  hidden.pooled !== undefined && has(hidden, 'classifier')
    ? headLinear(hidden, 'classifier', hidden.pooled, hidden.size)
    : undefined;

/** Two layers on the first token, as RobertaClassificationHead and DistilBertForSequenceClassification have them. */
const twoLayers =
  (first: string, activation: string, second: string): LabelHead =>
  (hidden) => {
    if (!has(hidden, first, second)) return undefined;
    const dense = headLinear(hidden, first, firstToken(hidden), hidden.size);
    return headLinear(hidden, second, hidden.net.op('classifier', activation, [dense]), hidden.size);
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
  const { net, config, states, size } = hidden;
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
  return headLinear(hidden, 'score', x, size, false);
};

/** For each token: a linear layer. ModernBERT has another one before it. */
export const onTokens: LabelHead = (hidden) => {
  const module = ['classifier', 'score'].find((m) => has(hidden, m));
  if (module === undefined || has(hidden, 'head.dense')) return undefined;
  const { net, states, size } = hidden;
  const flat = net.op(module, 'Reshape', [states, net.g.ints([-1, size])]);
  return headLinear(hidden, module, flat, size);
};

/** ViTForImageClassification: the first token. */
export const onImages: LabelHead = (hidden) =>
  ['vit', 'deit'].includes(hidden.type) && has(hidden, 'classifier')
    ? headLinear(hidden, 'classifier', firstToken(hidden), hidden.size)
    : undefined;
