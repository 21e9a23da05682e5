import type { StoredTensor } from '../weight-files';
import { formOf, groupsOf, scalesPart, valuesPart, zerosPart } from './blocks';
import { type PackedWeight, requireForm, wordsOf } from './packed-weight';

/** The tensors of a module in AWQ's gemm layout, without its name. */
export interface AwqTensors {
  /** int32 (in, out / 8): eight outputs of a feature in a word, in the order of `ORDER`. */
  qweight: StoredTensor;
  /** int32 (groups, out / 8), in the same order; without it, all are 8. */
  qzeros?: StoredTensor;
  /** (groups, out). */
  scales: StoredTensor;
}

/** The outputs in a word, from its lowest four bits on. */
const ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

/**
 * A weight of AWQ: W[o, i] = (q[i, o] − zero[g, o]) · scale[g, o] with the group g of feature i.
 * AutoAWQ's `unpack_awq` and `reverse_awq_order` (utils/packing_utils.py) state the layout.
 *
 * @param groupSize −1 for all features
 * @returns it, and the shape of its module's weight
 */
export function awqWeight(
  { qweight, qzeros, scales }: AwqTensors,
  groupSize: number,
): { packed: PackedWeight; dims: number[] } {
  const [inFeatures, words] = qweight.dims;
  const outFeatures = 8 * words;
  const of = groupsOf(scales, inFeatures, groupSize);
  requireForm(qweight, ['I32', 'U32'], [inFeatures, words]);
  requireForm(scales, ['F16', 'BF16', 'F32'], [of.groups, outFeatures]);
  if (qzeros) requireForm(qzeros, ['I32', 'U32'], [of.groups, words]);
  const form = formOf(of, 4, qweight);
  const group = () => (block: number) => Math.floor((block * form.blockSize) / of.groupSize);
  const zeros = () => {
    const stored = qzeros && wordsOf(qzeros);
    return (g: number) => {
      const out = new Uint8Array(outFeatures).fill(8);
      if (stored) for (let w = 0; w < words; w++) spread(stored[g * words + w], out, 8 * w);
      return out;
    };
  };
  const packed: PackedWeight = {
    layout: `awq ${JSON.stringify([form, of.groupSize])}`,
    stored: [qweight, scales, ...(qzeros ? [qzeros] : [])],
    form,
    values: valuesPart(of, form, () => codesOf(wordsOf(qweight), inFeatures, words, form.bits)),
    scales: scalesPart(of, form, scales, group),
    zeros: zerosPart(of, form, zeros, group),
  };
  return { packed, dims: [outFeatures, inFeatures] };
}

function spread(word: number, out: Uint8Array, from: number): void {
  ORDER.forEach((output, place) => (out[from + output] = (word >>> (4 * place)) & 15));
}

/** Features that are read at a time: those of an output then lie beside each other. */
const TILE = 64;

/** The integers (out, in), the first of two in the lower half of a byte. */
function codesOf(words: Uint32Array, inFeatures: number, width: number, bits: 4 | 8): Uint8Array {
  const bytes = (inFeatures * bits) / 8;
  const out = new Uint8Array(8 * width * bytes);
  for (let from = 0; from < inFeatures; from += TILE)
    for (let w = 0; w < width; w++)
      for (let i = from; i < Math.min(inFeatures, from + TILE); i++) {
        const word = words[i * width + w];
        const at = (i * bits) >> 3;
        const shift = bits === 4 ? 4 * (i % 2) : 0;
        for (let place = 0; place < 8; place++)
          out[(8 * w + ORDER[place]) * bytes + at] |= ((word >>> (4 * place)) & 15) << shift;
      }
  return out;
}
