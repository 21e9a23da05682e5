import { DType } from '../../graph/dtype';
import { type Activation, activationOf, GELU } from '../blocks/activation';
import { counted } from '../blocks/text';
import type { Config } from '../folder/config';
import { eurobertOnTexts } from './eurobert';
import { firstToken, has, hasParts, headLinear, type Hidden, type LabelHead } from './hidden';
import { modernbertHead } from './modernbert';

/** BertForSequenceClassification. */
const pooled: LabelHead = (hidden) =>
  hidden.pooled && has(hidden, 'classifier')
    ? { module: 'classifier', ...hidden.pooled, bias: true }
    : undefined;

/** Two layers on the first token, as RobertaClassificationHead and DistilBertForSequenceClassification have them. */
const twoLayers =
  (first: string, act: (config: Config) => Activation, second: string): LabelHead =>
  (hidden) => {
    if (!has(hidden, first, second)) return undefined;
    const { net, config, size } = hidden;
    const dense = headLinear(hidden, first, { x: firstToken(hidden), size });
    const x = act(config)(net, 'classifier', dense.x);
    return { module: second, x, size: dense.size, bias: true };
  };

const always = (opType: string) => (): Activation => (net, module, x) => net.op(module, opType, [x]);

/** DebertaV2ForSequenceClassification, whose ContextPooler applies `pooler_hidden_act`. */
const contextPooled = twoLayers(
  'pooler.dense',
  (config) => activationOf(config, 'pooler_hidden_act', 'gelu'),
  'classifier',
);

const roberta = twoLayers('classifier.dense', always('Tanh'), 'classifier.out_proj');

/** RoFormerForSequenceClassification. */
const roformer = twoLayers(
  'classifier.dense',
  (config) => activationOf(config, 'hidden_act', 'gelu'),
  'classifier.out_proj',
);

const ON_TEXTS: ReadonlyMap<string, LabelHead> = new Map([
  ['bert', pooled],
  ['albert', pooled],
  ['roberta', roberta],
  ['xlm-roberta', roberta],
  ['camembert', roberta],
  ['mpnet', roberta],
  ['electra', twoLayers('classifier.dense', () => GELU, 'classifier.out_proj')],
  ['distilbert', twoLayers('pre_classifier', always('Relu'), 'classifier')],
  ['deberta', contextPooled],
  ['deberta-v2', contextPooled],
  ['modernbert', modernbertHead.onTexts],
  ['nomic_bert', pooled],
  ['eurobert', eurobertOnTexts],
  ['roformer', roformer],
  ['ernie', pooled],
  ['rembert', pooled],
  ['megatron-bert', pooled],
  ['mobilebert', pooled],
  ['xlm-roberta-xl', roberta],
  ['data2vec-text', roberta],
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

/** `pad_token_id` of a config.json without it, in families that have one then. */
const PADDING: ReadonlyMap<string, number> = new Map([
  ['gemma', 0],
  ['gemma2', 0],
  ['gemma3_text', 0],
  ['phi3', 32000],
  ['smollm3', 128004],
  ['olmo2', 1],
  ['olmo', 1],
  ['olmo3', 1],
  ['cohere', 0],
  ['cohere2', 0],
  ['helium', 3],
  ['glm', 151329],
  ['glm4', 151329],
  ['opt', 1],
]);

/**
 * The state of each text's last token that is not padding, (batch, size), as transformers'
 * GenericForSequenceClassification takes it: padding are the tokens with `pad_token_id`. Without one, transformers
 * takes only one text at a time; here the mask marks padding.
 */
function lastToken({ net, config, type, states }: Hidden): string {
  const missing = config.isNull('pad_token_id') ? undefined : PADDING.get(type);
  const padding =
    config.has('pad_token_id') || missing !== undefined ? config.index('pad_token_id', missing) : undefined;
  const real =
    padding === undefined
      ? net.op('score', 'Cast', ['attention_mask'], { to: DType.bool })
      : net.op('score', 'Not', [net.op('score', 'Equal', ['input_ids', net.g.scalar(padding, DType.int64)])]);
  const rows = net.op('score', 'Shape', ['input_ids']);
  const places = net.op('score', 'Cast', [counted(net, rows)], { to: DType.float });
  const weight = net.op('score', 'Cast', [real], { to: DType.float });
  const most = [net.op('score', 'Mul', [weight, places]), net.g.ints([1])];
  const last = net.op('score', 'ReduceMax', most, { keepdims: 1 });
  const isLast = net.op('score', 'Cast', [net.op('score', 'Equal', [places, last])], { to: DType.float });
  const one = net.op('score', 'Mul', [states, net.op('score', 'Unsqueeze', [isLast, net.g.ints([2])])]);
  return net.op('score', 'ReduceSum', [one, net.g.ints([1])], { keepdims: 0 });
}
