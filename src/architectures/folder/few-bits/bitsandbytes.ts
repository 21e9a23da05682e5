import { DType } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import { FP4, NF4 } from '../../../graph/quantized/bnb4';
import { readFileRef } from '../../../graph/values';
import type { StoredTensor } from '../weight-files';
import { bytesOf, floatsOf, type PackedWeight, requireForm, unreadable } from './packed-weight';

/** The tensors of a weight of four bits, by their endings after `weight`. */
export interface FourBitTensors {
  /** Two numbers in a byte, the first in its upper half, as (n, 1); another type of storage has the same bytes. */
  weight: StoredTensor;
  /** The scale of each block: float32, or uint8 if it is quantized itself. */
  absmax: StoredTensor;
  /** The values that a number stands for. */
  map: StoredTensor;
  nested?: { absmax: StoredTensor; map: StoredTensor };
  /** JSON with the shape and the sizes of blocks. */
  state: StoredTensor;
  type: 'nf4' | 'fp4';
}

const BLOCK_SIZES = [32, 64, 128, 256, 512, 1024, 2048, 4096];

interface State {
  shape: number[];
  blockSize: number;
  nestedBlockSize: number;
  nestedOffset: number;
}

/**
 * A weight in bitsandbytes' NF4 or FP4: (out, in) as one sequence, each number the value of a table times the scale of its
 * block. The scales may be indices into a table of 256 values, times the scale of a block of them, plus an offset ("double
 * quantization"). bitsandbytes' `QuantState.as_dict` and `dequantize_4bit` (functional.py) state the layout.
 *
 * @param dims of the weight, as config.json has it: before the download of the weights, their own statement cannot be read
 */
export function fourBitWeight(tensors: FourBitTensors, dims: readonly number[]): PackedWeight {
  const { weight, absmax, map, nested, state: stored, type } = tensors;
  const count = elementCount(dims);
  const state = stateOf(stored);
  const blocks = absmax.dims[0];
  const blockSize = state?.blockSize ?? BLOCK_SIZES.find((size) => Math.ceil(count / size) === blocks);
  const path = weight.data.path;
  if (state && state.shape.join() !== dims.join())
    throw unreadable(
      path,
      `the weight ${weight.name} has the shape [${state.shape.join(', ')}], but according to config.json it is [${dims.join(', ')}]`,
    );
  if (
    weight.data.length !== Math.ceil(count / 2) ||
    blockSize === undefined ||
    Math.ceil(count / blockSize) !== blocks
  )
    throw unreadable(
      path,
      `the weight ${weight.name} has ${weight.data.length} bytes and ${blocks} scales, which a weight of [${dims.join(', ')}] in ${type} does not have`,
    );
  if (state) requireTable(map, type === 'nf4' ? NF4 : FP4);
  if (nested) requireForm(absmax, ['U8'], [blocks]);
  else requireForm(absmax, ['F32'], [blocks]);
  const scales = () => [bytesOf(nestedScales(tensors, stateOf(stored) ?? unstated(stored)))];
  return {
    layout: `${type} ${JSON.stringify([dims, blockSize])}`,
    stored: [weight, absmax, map, stored, ...(nested ? [nested.absmax, nested.map] : [])],
    form: { kind: 'bnb4', type, blockSize },
    values: { dtype: DType.uint8, dims: [weight.data.length], data: weight.data },
    scales: { dtype: DType.float, dims: [blocks], data: nested ? scales : absmax.data },
  };
}

/** The statement beside a weight; undefined if its bytes are not there: of a download, only the headers are read at first. */
export function stateOf({ name, data }: StoredTensor): State | undefined {
  const bytes = readFileRef(data);
  if (bytes.every((b) => b === 0)) return undefined;
  try {
    const state = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    const { shape, blocksize, nested_blocksize: nested = 256, nested_offset: offset = 0 } = state;
    if (Array.isArray(shape) && BLOCK_SIZES.includes(blocksize as number) && Number(nested) > 0)
      return {
        shape: shape.map(Number),
        blockSize: blocksize as number,
        nestedBlockSize: Number(nested),
        nestedOffset: Number(offset),
      };
  } catch {
    // Reported below.
  }
  throw unreadable(data.path, `${name} does not state the shape and the blocks of its weight`);
}

const unstated = ({ name, data }: StoredTensor) => unreadable(data.path, `${name} is empty`);

/** @throws AuroraError 'model' for another table than the one of this type */
function requireTable(map: StoredTensor, table: readonly number[]): void {
  const own = floatsOf(map);
  if (own.length === table.length && own.every((v, i) => Math.abs(v - table[i]) < 1e-6)) return;
  throw unreadable(map.data.path, `${map.name} is not the table of its type`);
}

function nestedScales({ absmax, nested }: FourBitTensors, state: State | Error): Float32Array {
  if (state instanceof Error) throw state;
  const { nestedBlockSize, nestedOffset } = state;
  const [table, factors] = [floatsOf(nested!.map), floatsOf(nested!.absmax)];
  const offset = Math.fround(nestedOffset);
  return Float32Array.from(
    readFileRef(absmax.data),
    (index, i) => Math.fround(table[index] * factors[Math.floor(i / nestedBlockSize)]) + offset,
  );
}

/** The tensors of a module in LLM.int8(). */
export interface Int8Tensors {
  /** int8 (out, in). */
  weight: StoredTensor;
  /** The largest magnitude in each row: float32 (out). */
  SCB: StoredTensor;
  weight_format?: StoredTensor;
}

/**
 * A weight in LLM.int8(): W = q · SCB / 127, row by row. Activations, which that method rounds to 8 bits too, stay in float32.
 * bitsandbytes' `int8_vectorwise_dequant` (functional.py).
 */
export function int8Weight({ weight, SCB, weight_format: format }: Int8Tensors): PackedWeight {
  const [rows] = weight.dims;
  requireForm(weight, ['I8'], [rows, weight.dims[1]]);
  requireForm(SCB, ['F32', 'F16', 'BF16'], [rows]);
  if (format && readFileRef(format.data).some((b) => b !== 0))
    throw unreadable(format.data.path, `${format.name} states another order of the values than by rows`);
  return {
    layout: 'int8',
    stored: [weight, SCB, ...(format ? [format] : [])],
    form: { kind: 'int8' },
    values: { dtype: DType.int8, dims: weight.dims, data: weight.data },
    scales: { dtype: DType.float, dims: [rows], data: () => [bytesOf(floatsOf(SCB).map((v) => v / 127))] },
  };
}
