import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import { isFloat } from '../dtype';
import { elementCount, isFileRef, type Node, type Tensor } from '../model';
import { readFileRef, tensorNumbers } from '../values';

/**
 * The weight of a com.microsoft MatMulNBits: W (out, in) = (q − zero point) · scale, with a scale and a zero point for
 * each block of a row. A row's last block may be wider than the rest of the row.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
export interface NBits {
  inFeatures: number;
  outFeatures: number;
  bits: number;
  blockSize: number;
  /** The number of blocks in each row. */
  blocks: number;
  /** Bytes: each row has its blocks one after the other, and a byte its lowest bits first. */
  weight: Tensor;
  /** The scales, one per block. */
  scales: Tensor;
  /** Packed like the weight, each row beginning with a new byte, or floats; undefined for 2^(bits − 1). */
  zeroPoints: Tensor | undefined;
  bias: string | undefined;
}

export const isNBits = ({ domain, opType }: Pick<Node, 'domain' | 'opType'>): boolean =>
  opType === 'MatMulNBits' && domain === 'com.microsoft';

const BITS = [2, 4, 8];

/**
 * @param constant the constant of a name
 * @throws AuroraError 'model' for nodes that ONNX Runtime cannot run on the CPU, and for weights that are not constants
 */
export function nbitsOf(node: Node, constant: (name: string) => Tensor | undefined): NBits {
  const [inFeatures, outFeatures, blockSize] = ['K', 'N', 'block_size'].map((a) => attrInt(node, a, 0));
  const bits = attrInt(node, 'bits', 4);
  const [, b, s, z, order, bias] = node.inputs;
  if (!BITS.includes(bits)) throw refusal(node, `has ${bits} bits; ${BITS.join(', ')} are supported`);
  if (order) throw refusal(node, 'sorts its columns (g_idx), as GPTQ with act_order does');
  if (!(inFeatures > 0 && outFeatures > 0 && blockSize >= 16 && Number.isInteger(Math.log2(blockSize))))
    throw refusal(node, `has K ${inFeatures}, N ${outFeatures} and block_size ${blockSize}`);
  const [weight, scales, zeroPoints] = [b, s, z].map((name) => (name ? constant(name) : undefined));
  if (!weight || !scales || (z && !zeroPoints)) throw refusal(node, 'has a weight that is not a constant');
  const blocks = Math.ceil(inFeatures / blockSize);
  const of = { inFeatures, outFeatures, bits, blockSize, blocks };
  requireSize(node, weight, outFeatures * blocks * blockBytes(of));
  requireSize(node, scales, outFeatures * blocks);
  if (zeroPoints) {
    const perRow = isFloat(zeroPoints.dtype) ? blocks : zeroRowBytes(of);
    requireSize(node, zeroPoints, outFeatures * perRow);
  }
  return { ...of, weight, scales, zeroPoints, bias: bias || undefined };
}

type Layout = Pick<NBits, 'bits' | 'blockSize' | 'blocks'>;

export const blockBytes = ({ bits, blockSize }: Layout): number => (blockSize * bits) / 8;

/** Bytes of one row of packed zero points. */
export const zeroRowBytes = ({ bits, blocks }: Layout): number => Math.ceil((blocks * bits) / 8);

export const defaultZero = ({ bits }: Layout): number => 2 ** (bits - 1);

/** Some rows of a constant that has `rows` rows of as many bytes each. */
export function rowsOf(t: Tensor, rows: number, from: number, to: number): Tensor['data'] {
  const { data } = t;
  const length = isFileRef(data) ? data.length : data.byteLength;
  const row = length / rows;
  return isFileRef(data)
    ? { ...data, offset: data.offset + from * row, length: (to - from) * row }
    : data.subarray(from * row, to * row);
}

/** Some files have a vector in place of a matrix. */
function requireSize(node: Node, t: Tensor, elements: number): void {
  if (elementCount(t.dims) !== elements)
    throw refusal(node, `has ${t.name} with the shape [${t.dims.join(', ')}], not ${elements} elements`);
}

const refusal = (node: Node, what: string): AuroraError =>
  new AuroraError(
    'model',
    `The node ${node.name || node.outputs[0]} (MatMulNBits) ${what}.`,
    'Quantize the original model again, for example with `aurora quantize`, or train on it as it is.',
  );

/** Rows `from` to `to` of the weight (out, in), in float32. */
export function nbitsRows(w: NBits, from = 0, to = w.outFeatures): Float32Array {
  const { inFeatures, outFeatures, bits, blockSize, blocks } = w;
  const part = (t: Tensor) => rowsOf(t, outFeatures, from, to);
  const packed = bytesOf(part(w.weight));
  const scales = tensorNumbers({ ...w.scales, data: part(w.scales) });
  const zeros = w.zeroPoints ? zerosOf(w, { ...w.zeroPoints, data: part(w.zeroPoints) }) : undefined;
  const rowBytes = blocks * blockBytes(w);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const out = new Float32Array((to - from) * inFeatures);
  for (let row = 0; row < to - from; row++)
    for (let i = 0; i < inFeatures; i++) {
      const block = row * blocks + Math.floor(i / blockSize);
      const q = (packed[row * rowBytes + Math.floor(i / perByte)] >> (bits * (i % perByte))) & mask;
      out[row * inFeatures + i] = (q - (zeros ? zeros[block] : defaultZero(w))) * scales[block];
    }
  return out;
}

/** The zero points of some rows, one per block. */
export function zerosOf(w: NBits, rows: Tensor): number[] {
  const values = tensorNumbers(rows);
  if (isFloat(rows.dtype)) return values;
  const { bits, blocks } = w;
  const perRow = zeroRowBytes(w);
  const perByte = 8 / bits;
  return Array.from({ length: (values.length / perRow) * blocks }, (_, at) => {
    const [row, block] = [Math.floor(at / blocks), at % blocks];
    return (
      (values[row * perRow + Math.floor(block / perByte)] >> (bits * (block % perByte))) & (2 ** bits - 1)
    );
  });
}

const bytesOf = (data: Tensor['data']): Uint8Array => (isFileRef(data) ? readFileRef(data) : data);
