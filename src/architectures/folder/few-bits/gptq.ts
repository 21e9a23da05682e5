import { DType } from '../../../graph/dtype';
import { readFileRef } from '../../../graph/values';
import type { StoredTensor } from '../weight-files';
import { numbersIn, packInto, transposedWords } from './bits';
import { formOf, type Groups, groupsOf, scalesPart, valuesPart, zerosPart } from './blocks';
import { bytesOf, type PackedWeight, requireForm, unreadable, wordsOf } from './packed-weight';

export interface GptqSettings {
  bits: number;
  groupSize: number;
  /** Blocks are not of neighbours (desc_act). */
  sorted: boolean;
  /** Zero points are stored minus one (checkpoint_format gptq; not gptq_v2). */
  minusOne: boolean;
}

/** The tensors of a module in GPTQ's layout, without its name. */
export interface GptqTensors {
  /** int32 (in · bits / 32, out): consecutive features of an output, lowest bits first. */
  qweight: StoredTensor;
  /** int32 (groups, out · bits / 32): consecutive outputs of a group. */
  qzeros: StoredTensor;
  /** (groups, out). */
  scales: StoredTensor;
  /** int32 (in): the group of each feature. */
  g_idx?: StoredTensor;
}

/**
 * A weight of GPTQ: W[o, i] = (q[o, i] − zero[g, o]) · scale[g, o] with the group g of feature i.
 * GPTQModel's `dequantize_weight` (nn_modules/qlinear) and AutoGPTQ's `pack` state the layout.
 *
 * @returns it, and the shape of its module's weight
 */
export function gptqWeight(tensors: GptqTensors, s: GptqSettings): { packed: PackedWeight; dims: number[] } {
  const { qweight, qzeros, scales, g_idx: index } = tensors;
  const [words, outFeatures] = qweight.dims;
  const inFeatures = index?.dims[0] ?? (32 * words) / s.bits;
  // Settings for single modules may name another number.
  const bits = (32 * words) / inFeatures;
  if (![2, 3, 4, 8].includes(bits))
    throw unreadable(
      qweight.data.path,
      `${qweight.name} has ${words} words for ${inFeatures} features: neither 2, 3, 4 nor 8 bits each`,
    );
  const of = groupsOf(scales, inFeatures, s.groupSize);
  requireForm(qweight, ['I32', 'U32'], [words, outFeatures]);
  requireForm(scales, ['F16', 'BF16', 'F32'], [of.groups, outFeatures]);
  requireForm(qzeros, ['I32', 'U32'], [of.groups, Math.ceil((outFeatures * bits) / 32)]);
  const form = formOf(of, bits === 8 ? 8 : 4, qweight);
  // One group needs no order.
  const sorted = s.sorted && of.groups > 1 ? index : undefined;
  const places = () => sorted && orderOf(sorted, of, form.blockSize);
  const group = () => {
    const order = places();
    if (!order && index) requireInOrder(index, of);
    const groups = order && indexOf(sorted!);
    return (block: number) =>
      groups ? groups[order[block * form.blockSize]] : Math.floor((block * form.blockSize) / of.groupSize);
  };
  const zeros = () => {
    const stored = wordsOf(qzeros);
    const width = qzeros.dims[1];
    return (g: number) => {
      const own = numbersIn(stored.subarray(g * width, (g + 1) * width), bits, outFeatures);
      return s.minusOne ? own.map((z) => (z + 1) & (2 ** bits - 1)) : own;
    };
  };
  const packed: PackedWeight = {
    layout: `gptq ${JSON.stringify([bits, form, of.groupSize, sorted !== undefined, s.minusOne])}`,
    stored: [qweight, qzeros, scales, ...(index ? [index] : [])],
    form,
    values: valuesPart(of, form, () => codesOf(wordsOf(qweight), of, bits, form.bits, places())),
    scales: scalesPart(of, form, scales, group),
    zeros: zerosPart(of, form, zeros, group),
    ...(sorted && {
      order: {
        dtype: DType.int64,
        dims: [inFeatures],
        data: () => [bytesOf(BigInt64Array.from(places()!, (at) => BigInt(at)))],
      },
    }),
  };
  return { packed, dims: [outFeatures, inFeatures] };
}

function codesOf(
  words: Uint32Array,
  { inFeatures, outFeatures }: Groups,
  bits: number,
  wanted: 4 | 8,
  order: Uint32Array | undefined,
): Uint8Array {
  const rows = transposedWords(words, words.length / outFeatures, outFeatures);
  if (bits === wanted && !order) return new Uint8Array(rows.buffer);
  const width = rows.length / outFeatures;
  const bytes = (inFeatures * wanted) / 8;
  const out = new Uint8Array(outFeatures * bytes);
  const moved = new Uint8Array(inFeatures);
  for (let o = 0; o < outFeatures; o++) {
    const row = numbersIn(rows.subarray(o * width, (o + 1) * width), bits, inFeatures);
    if (order) for (let i = 0; i < inFeatures; i++) moved[i] = row[order[i]];
    packInto(out, o * bytes, order ? moved : row, wanted);
  }
  return out;
}

const indexOf = ({ data }: StoredTensor): Int32Array => new Int32Array(readFileRef(data).buffer);

/** Features by their groups, each group in the order of the module. */
function orderOf(index: StoredTensor, { groups, inFeatures }: Groups, blockSize: number): Uint32Array {
  const of = indexOf(index);
  if (of.some((g) => g < 0 || g >= groups))
    throw unreadable(index.data.path, `${index.name} names a missing group`);
  const order = Uint32Array.from({ length: inFeatures }, (_, i) => i).sort((a, b) => of[a] - of[b] || a - b);
  for (let from = 0; from < inFeatures; from += blockSize)
    if (of[order[from]] !== of[order[from + blockSize - 1]])
      throw unreadable(index.data.path, `${index.name} has groups that blocks of ${blockSize} do not divide`);
  return order;
}

/** @throws AuroraError 'model' if groups are not of neighbours, although config.json does not say so */
function requireInOrder(index: StoredTensor, { groupSize, groups }: Groups): void {
  if (groups === 1 || indexOf(index).every((g, i) => g === Math.floor(i / groupSize))) return;
  throw unreadable(
    index.data.path,
    `${index.name} does not have its groups in order, but quantization_config.desc_act is false`,
  );
}
