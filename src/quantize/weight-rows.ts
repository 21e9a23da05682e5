import { isFileRef, type Tensor } from '../graph/model';
import { rowsOf } from '../graph/quantized/nbits';
import { floatValues } from '../graph/values';

/** The bytes of the rows that are in memory at a time. */
const PIECE = 2 ** 24;

/** A weight as it is quantized: (out, in), times alpha. */
export interface RowsOfWeight {
  path: string;
  weight: Tensor;
  inFeatures: number;
  outFeatures: number;
  /** Stored as (out, in). */
  transposed: boolean;
  alpha: number;
}

/** Its values, some rows at a time; a weight stored as (in, out) at once. */
export function* weightRows(rowsOfWeight: RowsOfWeight): Generator<Float32Array> {
  const { weight, inFeatures, outFeatures, transposed, alpha } = rowsOfWeight;
  if (!transposed) {
    const stored = floatValues(weight);
    const out = new Float32Array(stored.length);
    for (let i = 0; i < inFeatures; i++)
      for (let o = 0; o < outFeatures; o++) out[o * inFeatures + i] = alpha * stored[i * outFeatures + o];
    yield out;
    return;
  }
  const rows = isFileRef(weight.data) ? Math.max(1, Math.floor(PIECE / inFeatures)) : outFeatures;
  for (let from = 0; from < outFeatures; from += rows) {
    const to = Math.min(outFeatures, from + rows);
    const values = floatValues({ ...weight, data: rowsOf(weight, outFeatures, from, to) });
    yield alpha === 1 ? values : values.map((v) => alpha * v);
  }
}
