import { ftruncateSync } from 'node:fs';
import { DType } from '../dtype';
import { replaceFile, writeAll } from '../../files/atomic';
import { halfValues, toHalf } from '../half';
import { elementCount, isFileRef, type Tensor } from '../model';
import { readTensorBytes } from '../values';

/** Aligned for every vector unit that may read a weight in place. */
const ALIGNMENT = 64;
/** Values converted at a time, so that a large table is never in memory twice. */
const CHUNK = 1 << 22;
/**
 * The largest relative error, ‖w − float16(w)‖ / ‖w‖, allowed for a weight. Rounding alone gives at most 2^-11; more
 * comes from values below 2^-14, which float16 stores with reduced precision or as 0.
 */
const LARGEST_ERROR = 2 ** -10;

export interface HalvedWeights {
  /** The float16 copy of each weight, by the weight's name. */
  halves: Map<string, Tensor>;
  /** The reason why a weight stays in float32, by its name. */
  kept: Map<string, 'too large' | 'too small'>;
}

/**
 * Writes float16 copies of float32 weights into one file, and omits those that float16 cannot represent.
 *
 * @throws AuroraError 'disk' if the disk is full
 */
export function writeHalfWeights(weights: readonly Tensor[], path: string): HalvedWeights {
  const halves: HalvedWeights['halves'] = new Map();
  const kept: HalvedWeights['kept'] = new Map();
  replaceFile(path, (fd) => {
    let end = 0;
    for (const weight of weights) {
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      const problem = writeHalves(fd, weight, offset);
      // The next one then overwrites it.
      if (problem) kept.set(weight.name, problem);
      else {
        const length = 2 * elementCount(weight.dims);
        const name = `${weight.name}.float16`;
        halves.set(weight.name, {
          name,
          dtype: DType.float16,
          dims: weight.dims,
          data: { path, offset, length },
        });
        end = offset + length;
      }
    }
    ftruncateSync(fd, end);
  });
  return { halves, kept };
}

function writeHalves(fd: number, weight: Tensor, offset: number): 'too large' | 'too small' | undefined {
  const values = halfValues();
  const count = elementCount(weight.dims);
  let squares = 0;
  let errors = 0;
  for (let start = 0; start < count; start += CHUNK) {
    const floats = floatsOf(weight, start, Math.min(CHUNK, count - start));
    const halves = new Uint16Array(floats.length);
    for (let i = 0; i < floats.length; i++) {
      const half = toHalf(floats[i]);
      const error = floats[i] - values[half];
      halves[i] = half;
      squares += floats[i] * floats[i];
      errors += error * error;
    }
    // Infinity if a value overflowed, NaN if one was not finite before.
    if (!Number.isFinite(errors)) return 'too large';
    writeAll(fd, new Uint8Array(halves.buffer), offset + 2 * start);
  }
  return errors > LARGEST_ERROR ** 2 * squares ? 'too small' : undefined;
}

function floatsOf(weight: Tensor, start: number, count: number): Float32Array {
  const { data } = weight;
  const bytes = isFileRef(data)
    ? readTensorBytes({ ...weight, data: { ...data, offset: data.offset + 4 * start, length: 4 * count } })
    : data.subarray(4 * start, 4 * (start + count));
  // A copy, since a view may be unaligned.
  return new Float32Array(new Uint8Array(bytes).buffer);
}
