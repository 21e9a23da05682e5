import {
  type Features,
  firstToken,
  has,
  headLinear,
  type Hidden,
  type LabelHead,
  meanFrom,
  meanOfCounted,
  tokenAt,
} from './hidden';

/** The input of a family's classifier; undefined if the folder does not have its weights. */
type Read = (hidden: Hidden) => Features | undefined;

const first: Read = (hidden) => ({ x: firstToken(hidden), size: hidden.size });

/** The mean of all tokens but the first few. */
const meanAfter =
  (count: number): Read =>
  (hidden) => ({ x: meanFrom(hidden, count), size: hidden.size });

/** The first token beside the mean of those after it and the registers. */
const firstAndMean =
  (registers: (hidden: Hidden) => number): Read =>
  (hidden) => {
    const parts = [firstToken(hidden), meanFrom(hidden, 1 + registers(hidden))];
    return { x: hidden.net.op('', 'Concat', parts, { axis: 1 }), size: 2 * hidden.size };
  };

/** The model's own pooler. */
const pooled: Read = ({ pooled }) => pooled;

/** The mean of the patches that a picture has. */
const meanOfPatches: Read = (hidden) => ({
  x: meanOfCounted(hidden, 'pixel_attention_mask'),
  size: hidden.size,
});

/** BeitForImageClassification: its pooler, which has no weights if it is the first token. */
const beit: Read = (hidden) => (hidden.config.flag('use_mean_pooling', true) ? pooled : first)(hidden);

const READ: ReadonlyMap<string, Read> = new Map([
  ['vit', first],
  ['deit', first],
  ['dinov2', firstAndMean(() => 0)],
  ['dinov2_with_registers', firstAndMean(({ config }) => config.index('num_register_tokens', 4))],
  ['clip', meanAfter(1)],
  ['clip_vision_model', meanAfter(1)],
  ['swin', meanAfter(0)],
  ['siglip', meanAfter(0)],
  ['siglip2', meanOfPatches],
  ['beit', beit],
  ['data2vec-vision', beit],
  ['convnext', pooled],
  ['convnextv2', pooled],
]);

/** The …ForImageClassification classes: one linear layer. */
export const onImages: LabelHead = (hidden) => {
  const read = has(hidden, 'classifier') ? READ.get(hidden.type)?.(hidden) : undefined;
  return read && { module: 'classifier', ...read, bias: true };
};

/** DeiTForImageClassificationWithTeacher: the mean of two classifiers' answers for the first two tokens. */
export function withTeacher(hidden: Hidden): Features | undefined {
  const modules = ['cls_classifier', 'distillation_classifier'];
  if (hidden.type !== 'deit' || !has(hidden, ...modules)) return undefined;
  const { net } = hidden;
  const [own, taught] = modules.map((module, i) =>
    headLinear(hidden, module, { x: tokenAt(hidden, i), size: hidden.size }),
  );
  const sum = net.op('', 'Add', [own.x, taught.x]);
  return { x: net.op('', 'Mul', [sum, net.float(0.5)]), size: own.size };
}
