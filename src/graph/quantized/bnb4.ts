import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import { DType } from '../dtype';
import { elementCount, isFileRef, type Node, type Tensor } from '../model';
import { readFileRef, tensorNumbers } from '../values';

/**
 * The weight of a com.microsoft MatMulBnb4, in bitsandbytes' layout: W (out, in) row by row as one sequence, two numbers in a byte,
 * the first in its upper half. Each number is an index into a table of 16 values, times the scale of its block of the
 * sequence. Blocks need not end where rows do.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
export interface Bnb4 {
  inFeatures: number;
  outFeatures: number;
  blockSize: number;
  /** The values of the indices 0 to 15. */
  table: readonly number[];
  weight: Tensor;
  /** The scales, one per block. */
  scales: Tensor;
}

/** 4-bit NormalFloat: quantiles of a normal distribution (QLoRA, arXiv 2305.14314, appendix E). */
export const NF4: readonly number[] = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

const MAGNITUDES = [0, 0.0625, 8, 12, 4, 6, 2, 3].map((v) => v / 12);

/** bitsandbytes' 4-bit float: a sign, two bits of exponent and one of fraction, over the largest value. */
export const FP4: readonly number[] = [...MAGNITUDES, ...MAGNITUDES.map((v) => -v)];

/** The operator's quant_type. */
export const BNB4_TYPES = { fp4: 0, nf4: 1 } as const;

export const isBnb4 = ({ domain, opType }: Pick<Node, 'domain' | 'opType'>): boolean =>
  opType === 'MatMulBnb4' && domain === 'com.microsoft';

/**
 * @param constant the constant of a name
 * @throws AuroraError 'model' for nodes that ONNX Runtime cannot run rightly on the CPU, and for weights that are not constants
 */
export function bnb4Of(node: Node, constant: (name: string) => Tensor | undefined): Bnb4 {
  const [inFeatures, outFeatures, blockSize] = ['K', 'N', 'block_size'].map((a) => attrInt(node, a, 0));
  const type = attrInt(node, 'quant_type', -1);
  if (type !== BNB4_TYPES.fp4 && type !== BNB4_TYPES.nf4) throw refusal(node, `has the quant_type ${type}`);
  if (attrInt(node, 'transB', 1) !== 1)
    throw refusal(node, 'has transB 0, which ONNX Runtime computes wrongly');
  if (!(inFeatures > 0 && outFeatures > 0 && blockSize >= 16 && Number.isInteger(Math.log2(blockSize))))
    throw refusal(node, `has K ${inFeatures}, N ${outFeatures} and block_size ${blockSize}`);
  const [weight, scales] = node.inputs.slice(1).map(constant);
  if (!weight || !scales) throw refusal(node, 'has a weight that is not a constant');
  const count = inFeatures * outFeatures;
  for (const [tensor, size] of [
    [weight, Math.ceil(count / 2)],
    [scales, Math.ceil(count / blockSize)],
  ] as const)
    if (elementCount(tensor.dims) !== size)
      throw refusal(
        node,
        `has ${tensor.name} with the shape [${tensor.dims.join(', ')}], not ${size} elements`,
      );
  return { inFeatures, outFeatures, blockSize, table: type === BNB4_TYPES.nf4 ? NF4 : FP4, weight, scales };
}

const refusal = (node: Node, what: string): AuroraError =>
  new AuroraError(
    'model',
    `The node ${node.name || node.outputs[0]} (MatMulBnb4) ${what}.`,
    'Quantize the original model again, for example with `aurora quantize`, or train on it as it is.',
  );

/** The number of rows after which a block and a byte end, too. */
export function rowsTogether({ inFeatures, blockSize }: Pick<Bnb4, 'inFeatures' | 'blockSize'>): number {
  let rows = 1;
  while ((rows * inFeatures) % blockSize !== 0) rows *= 2;
  return rows;
}

/** The bytes and the scales of rows `from` to `to`; `from` is a multiple of `rowsTogether`. */
export function partsOfRows({ inFeatures, blockSize, weight, scales }: Bnb4, from: number, to: number) {
  const part = ({ data }: Tensor, first: number, last: number): Tensor['data'] =>
    isFileRef(data)
      ? { ...data, offset: data.offset + first, length: last - first }
      : data.subarray(first, last);
  const [first, last] = [from * inFeatures, to * inFeatures];
  const each = scales.dtype === DType.float ? 4 : 2;
  return {
    bytes: part(weight, first / 2, Math.ceil(last / 2)),
    scales: part(scales, (each * first) / blockSize, each * Math.ceil(last / blockSize)),
  };
}

/** The weight (out, in), in float32. */
export function bnb4Values(w: Bnb4): Float32Array {
  const { inFeatures, outFeatures, blockSize } = w;
  const bytes = isFileRef(w.weight.data) ? readFileRef(w.weight.data) : w.weight.data;
  const scales = tensorNumbers(w.scales);
  const table = Float32Array.from(w.table);
  const out = new Float32Array(inFeatures * outFeatures);
  for (let i = 0; i < out.length; i++) {
    const code = i % 2 === 0 ? bytes[i >> 1] >> 4 : bytes[i >> 1] & 15;
    out[i] = table[code] * scales[Math.floor(i / blockSize)];
  }
  return out;
}
