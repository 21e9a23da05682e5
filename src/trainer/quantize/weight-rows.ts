import type { LinearLayer } from '../../graph/layers/linear';
import { isFileRef } from '../../graph/model';
import { rowsOf } from '../../graph/quantized/nbits';
import { floatValues } from '../../graph/values';

/** Of the rows that are in memory at a time. */
const PIECE = 2 ** 24;

/** The values (out, in) that a layer multiplies by, some rows at a time; a weight stored as (in, out) at once. */
export function* weightRows(layer: LinearLayer): Generator<Float32Array> {
  const { weight, inFeatures, outFeatures, transposed, alpha } = layer;
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
