import {
  type Features,
  firstToken,
  has,
  headLinear,
  type Hidden,
  type LabelHead,
  meanFrom,
  tokenAt,
} from './hidden';

/** The input of a family's classifier. */
type Read = (hidden: Hidden) => Features;

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

const READ: ReadonlyMap<string, Read> = new Map([
  ['vit', first],
  ['deit', first],
  ['dinov2', firstAndMean(() => 0)],
  ['dinov2_with_registers', firstAndMean(({ config }) => config.index('num_register_tokens', 4))],
  ['clip', meanAfter(1)],
  ['clip_vision_model', meanAfter(1)],
  ['swin', meanAfter(0)],
]);

/** The …ForImageClassification classes: one linear layer. */
export const onImages: LabelHead = (hidden) => {
  const read = READ.get(hidden.type);
  if (!read || !has(hidden, 'classifier')) return undefined;
  return { module: 'classifier', ...read(hidden), bias: true };
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
