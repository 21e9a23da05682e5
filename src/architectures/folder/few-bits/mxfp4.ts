import { DType } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import { readFileRef } from '../../../graph/values';
import type { StoredTensor } from '../weight-files';
import { bytesOf, type PackedWeight, requireForm } from './packed-weight';

/** The tensors of the stacked weights of experts. */
export interface Mxfp4Tensors {
  /** uint8 (experts, out, in / 32, 16): two numbers in a byte, the first in its lower half. */
  blocks: StoredTensor;
  /** uint8 (experts, out, in / 32): the exponents of powers of 2, plus 127. */
  scales: StoredTensor;
}

/** Values with one scale. */
const BLOCK = 32;
/** The values of a float of four bits (E2M1), doubled: whole numbers, from the zero point of 8 bits on. */
const DOUBLED = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12].map((v) => 128 + v);
const EXPONENT_OF_HALF = 128;
/** Bytes that are read at a time. */
const PIECE = 2 ** 24;

/**
 * Weights of experts in MXFP4: integers of 8 bits with halved scales, which is exact. They stay (experts, out, in), the transpose of
 * the shape that they have in the model: each expert is a linear layer.
 * OCP Microscaling Formats 1.0; transformers' `convert_moe_packed_tensors` (integrations/mxfp4.py).
 *
 * @returns them, and their shape in the model: (experts, in, out)
 */
export function mxfp4Weight({ blocks, scales }: Mxfp4Tensors): { packed: PackedWeight; dims: number[] } {
  const [experts, rows, groups] = blocks.dims;
  requireForm(blocks, ['U8'], [experts, rows, groups, BLOCK / 2]);
  requireForm(scales, ['U8'], [experts, rows, groups]);
  const packed: PackedWeight = {
    layout: 'mxfp4',
    stored: [blocks, scales],
    form: { kind: 'nbits', bits: 8, blockSize: BLOCK },
    values: {
      dtype: DType.uint8,
      dims: [experts * rows, groups, BLOCK],
      data: () => inPieces(blocks, integers),
    },
    scales: {
      dtype: DType.float,
      dims: [experts * rows, groups],
      data: () => inPieces(scales, (bytes) => bytesOf(Float32Array.from(bytes, halvedScale))),
    },
  };
  return { packed, dims: [experts, groups * BLOCK, rows] };
}

function* inPieces(
  { dims, data }: StoredTensor,
  made: (bytes: Uint8Array) => Uint8Array,
): Generator<Uint8Array> {
  const all = elementCount(dims);
  for (let done = 0; done < all; done += PIECE)
    yield made(readFileRef({ ...data, offset: data.offset + done, length: Math.min(PIECE, all - done) }));
}

function integers(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    out[2 * i] = DOUBLED[bytes[i] & 15];
    out[2 * i + 1] = DOUBLED[bytes[i] >> 4];
  }
  return out;
}

const halvedScale = (exponent: number): number => 2 ** (exponent - EXPONENT_OF_HALF);
