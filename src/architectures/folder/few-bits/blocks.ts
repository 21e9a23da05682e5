import { DType } from '../../../graph/dtype';
import type { StoredTensor } from '../weight-files';
import { packInto } from './bits';
import {
  bytesOf,
  commonBlock,
  floatsOf,
  LEAST_BLOCK,
  type PackedForm,
  type PackedPart,
  unreadable,
} from './packed-weight';

/** The sizes of a linear layer in groups: a scale and a zero point for each group of features of each output. */
export interface Groups {
  inFeatures: number;
  outFeatures: number;
  groupSize: number;
  /** The number of groups. */
  groups: number;
}

/**
 * The number of groups as a scales tensor (groups, out) has it, and their size.
 *
 * @param groupSize as config.json states it; −1 for all features
 */
export function groupsOf(scales: StoredTensor, inFeatures: number, groupSize: number): Groups {
  const [groups, outFeatures] = scales.dims;
  const size = groupSize < 1 ? inFeatures : groupSize;
  // Settings for single modules may name another size.
  const own = Math.ceil(inFeatures / size) === groups ? size : inFeatures / groups;
  if (!Number.isInteger(own))
    throw unreadable(
      scales.data.path,
      `${scales.name} has ${groups} groups, which ${inFeatures} features cannot be divided into`,
    );
  return { inFeatures, outFeatures, groupSize: own, groups };
}

/** Blocks of a size that ONNX Runtime takes, each of them in one group: several may have equal scales. */
export function formOf(of: Groups, bits: 4 | 8, weight: StoredTensor): PackedForm & { kind: 'nbits' } {
  const { inFeatures, groupSize } = of;
  const blockSize = commonBlock(inFeatures, groupSize);
  if (blockSize < LEAST_BLOCK)
    throw unreadable(
      weight.data.path,
      `${weight.name} has ${inFeatures} features in groups of ${groupSize}, which blocks of ${LEAST_BLOCK} do not divide`,
    );
  // Zero points of four bits are read in place only if those of a row fill whole bytes.
  if (bits === 8 || (inFeatures / blockSize) % 2 === 0) return { kind: 'nbits', bits, blockSize };
  if (blockSize > LEAST_BLOCK) return { kind: 'nbits', bits, blockSize: blockSize / 2 };
  return { kind: 'nbits', bits: 8, blockSize };
}

type Form = PackedForm & { kind: 'nbits' };

const blocksOf = ({ inFeatures }: Groups, { blockSize }: Form): number => inFeatures / blockSize;

/** @param codes makes the integers (out, in) */
export const valuesPart = (of: Groups, form: Form, codes: () => Uint8Array): PackedPart => ({
  dtype: DType.uint8,
  dims: [of.outFeatures, blocksOf(of, form), (form.blockSize * form.bits) / 8],
  data: () => [codes()],
});

/**
 * Scales (groups, out) as (out, blocks).
 *
 * @param group the group of a block
 */
export const scalesPart = (
  of: Groups,
  form: Form,
  scales: StoredTensor,
  group: () => (block: number) => number,
): PackedPart => {
  const dims = [of.outFeatures, blocksOf(of, form)];
  return {
    dtype: DType.float,
    dims,
    data() {
      const stored = floatsOf(scales);
      const groupAt = group();
      const out = new Float32Array(dims[0] * dims[1]);
      for (let o = 0; o < dims[0]; o++)
        for (let b = 0; b < dims[1]; b++) out[o * dims[1] + b] = stored[groupAt(b) * dims[0] + o];
      return [bytesOf(out)];
    },
  };
};

/** @param zeros the zero points of a group, one for each output */
export const zerosPart = (
  of: Groups,
  form: Form,
  zeros: () => (group: number) => Uint8Array,
  group: () => (block: number) => number,
): PackedPart => {
  const blocks = blocksOf(of, form);
  const bytes = (blocks * form.bits) / 8;
  return {
    dtype: DType.uint8,
    dims: [of.outFeatures, bytes],
    data() {
      const [zerosAt, groupAt] = [zeros(), group()];
      const byGroup = Array.from({ length: of.groups }, (_, g) => zerosAt(g));
      const out = new Uint8Array(of.outFeatures * bytes);
      const row = new Uint8Array(blocks);
      for (let o = 0; o < of.outFeatures; o++) {
        for (let b = 0; b < blocks; b++) row[b] = byGroup[groupAt(b)][o];
        packInto(out, o * bytes, row, form.bits);
      }
      return [out];
    },
  };
};
