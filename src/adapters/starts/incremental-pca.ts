import { type LinearMap, largestTriplets } from '../combine/truncated-svd';

/** Residuals of singular vectors, as a share of the largest value. */
const TOLERANCE = 1e-9;

/**
 * Incremental principal components (Ross et al., "Incremental learning for robust visual tracking", 2008), as
 * scikit-learn's and PEFT's IncrementalPCA: each batch, centred, is stacked below the components so far times their
 * singular values, and above a row for the distance of the means; the largest singular vectors of that are the new
 * components. The largest number of each component is positive. Its memory is that of the components.
 */
export class IncrementalPca {
  /** Unit vectors, by their singular values; empty before the first batch. */
  components: Float64Array[] = [];
  singularValues: number[] = [];
  private mean: Float64Array;
  /** The variance of each feature, times the number of samples. */
  private variance: Float64Array;
  private samples = 0;

  constructor(
    private readonly width: number,
    readonly count: number,
  ) {
    this.mean = new Float64Array(width);
    this.variance = new Float64Array(width);
  }

  /**
   * @param rows (samples, width), row-major
   * @returns false if there are fewer samples than components: the batch is not used
   */
  add(rows: Float32Array): boolean {
    const { width, count } = this;
    const n = rows.length / width;
    if (n < count) return false;
    const mean = meanOf(rows, width);
    const total = this.samples + n;
    const above = this.components.map((v, k) => v.map((x) => x * this.singularValues[k]));
    const factor = Math.sqrt((this.samples / total) * n);
    const below = this.samples === 0 ? [] : [this.mean.map((m, i) => factor * (m - mean[i]))];
    const found = largestTriplets(stacked(rows, mean, [...above, ...below]), count, TOLERANCE);
    addVariance(this.variance, rows, mean);
    for (let i = 0; i < width; i++) {
      this.variance[i] += ((this.samples * n) / total) * (this.mean[i] - mean[i]) ** 2;
      this.mean[i] = (this.samples * this.mean[i] + n * mean[i]) / total;
    }
    this.samples = total;
    this.components = found.right.map(withPositiveLargest);
    this.singularValues = found.values;
    return true;
  }

  /** The share of the inputs' variance along each component. */
  explained(): number[] {
    const whole = this.variance.reduce((sum, v) => sum + v, 0);
    return this.singularValues.map((s) => (whole > 0 ? s ** 2 / whole : 0));
  }
}

function meanOf(rows: Float32Array, width: number): Float64Array {
  const sum = new Float64Array(width);
  for (let at = 0; at < rows.length; at += width) for (let i = 0; i < width; i++) sum[i] += rows[at + i];
  return sum.map((v) => (v * width) / rows.length);
}

function addVariance(variance: Float64Array, rows: Float32Array, mean: Float64Array): void {
  const { length: width } = mean;
  for (let at = 0; at < rows.length; at += width)
    for (let i = 0; i < width; i++) variance[i] += (rows[at + i] - mean[i]) ** 2;
}

/** The rows minus their mean, and further rows. The centred rows are not built. */
function stacked(rows: Float32Array, mean: Float64Array, more: readonly Float64Array[]): LinearMap {
  const { length: width } = mean;
  const n = rows.length / width;
  return {
    rows: n + more.length,
    columns: width,
    along(v) {
      const out = new Float64Array(n + more.length);
      const off = dot(mean, v);
      for (let k = 0, at = 0; k < n; k++) {
        let sum = 0;
        for (let i = 0; i < width; i++, at++) sum += rows[at] * v[i];
        out[k] = sum - off;
      }
      more.forEach((row, k) => (out[n + k] = dot(row, v)));
      return out;
    },
    back(u) {
      const out = new Float64Array(width);
      let sum = 0;
      for (let k = 0, at = 0; k < n; k++) {
        const by = u[k];
        sum += by;
        for (let i = 0; i < width; i++, at++) out[i] += by * rows[at];
      }
      for (let i = 0; i < width; i++) out[i] -= sum * mean[i];
      more.forEach((row, k) => row.forEach((x, i) => (out[i] += u[n + k] * x)));
      return out;
    },
  };
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

function withPositiveLargest(v: Float64Array): Float64Array {
  const largest = v.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? v.map((x) => -x) : v;
}
