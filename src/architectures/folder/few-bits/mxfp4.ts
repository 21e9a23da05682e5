import { DType } from '../../../graph/dtype';
import { transposeInto } from '../../../graph/quantized/columns';
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
/** The values of a float of four bits (E2M1), doubled: whole numbers. */
const DOUBLED = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
const EXPONENT_OF_HALF = 128;

/**
 * Weights of experts in MXFP4, as (experts, in, out): int8 with halved scales, which is exact.
 * OCP Microscaling Formats 1.0; transformers' `convert_moe_packed_tensors` (integrations/mxfp4.py) transposes the same way.
 *
 * @returns them, and their shape
 */
export function mxfp4Weight({ blocks, scales }: Mxfp4Tensors): { packed: PackedWeight; dims: number[] } {
  const [experts, rows, groups] = blocks.dims;
  requireForm(blocks, ['U8'], [experts, rows, groups, BLOCK / 2]);
  requireForm(scales, ['U8'], [experts, rows, groups]);
  const width = groups * BLOCK;
  const packed: PackedWeight = {
    layout: 'mxfp4',
    stored: [blocks, scales],
    form: { kind: 'int8', axis: 1, blockSize: BLOCK },
    values: {
      dtype: DType.int8,
      dims: [experts, width, rows],
      data: () => byExpert(blocks, experts, (bytes) => turned(integers(bytes), rows)),
    },
    scales: {
      dtype: DType.float,
      dims: [experts, groups, rows],
      data: () => byExpert(scales, experts, (bytes) => bytesOf(turnedScales(bytes, rows))),
    },
  };
  return { packed, dims: [experts, width, rows] };
}

function* byExpert(
  { data }: StoredTensor,
  experts: number,
  made: (bytes: Uint8Array) => Uint8Array,
): Generator<Uint8Array> {
  const length = data.length / experts;
  for (let e = 0; e < experts; e++) yield made(readFileRef({ ...data, offset: data.offset + e * length, length }));
}

function integers(bytes: Uint8Array): Int8Array {
  const out = new Int8Array(2 * bytes.length);
  bytes.forEach((byte, i) => {
    out[2 * i] = DOUBLED[byte & 15];
    out[2 * i + 1] = DOUBLED[byte >> 4];
  });
  return out;
}

function turned(values: Int8Array, rows: number): Uint8Array {
  const columns = values.length / rows;
  const out = new Int8Array(values.length);
  transposeInto(out, { rows, columns, all: rows }, values);
  return bytesOf(out);
}

function turnedScales(exponents: Uint8Array, rows: number): Float32Array {
  const columns = exponents.length / rows;
  const out = new Float32Array(exponents.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = 2 ** (exponents[r * columns + c] - EXPONENT_OF_HALF);
  return out;
}
