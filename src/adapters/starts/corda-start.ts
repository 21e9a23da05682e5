import { cholesky, solved } from '../cholesky';
import { type LinearMap, largestTriplets, matrixMap, type Triplets } from '../combine/truncated-svd';
import { type Start, startOf, type StartingLayer } from './weight-starts';

/** The share of the mean of C's diagonal that is added to it. */
const DAMPING = 0.01;
/** Residuals of singular vectors, as a share of the largest value. */
const TOLERANCE = 1e-9;
/** The share of G's mean diagonal that keeps its smallest eigenvalues above rounding noise. */
const SHIFT = 1e-14;

/** The mean of XᵀX over samples, X (tokens, in) the inputs of a layer divided by |max X|. */
export class InputCovariance {
  /** (in, in) */
  readonly sum: Float64Array;
  private samples = 0;

  constructor(readonly width: number) {
    this.sum = new Float64Array(width * width);
  }

  /**
   * @param product XᵀX of a sample, before its division
   * @param largest the largest value of X; not the largest magnitude, as in PEFT
   */
  add(product: ArrayLike<number>, largest: number): void {
    const by = 1 / largest ** 2;
    for (let i = 0; i < this.sum.length; i++) this.sum[i] += product[i] * by;
    this.samples++;
  }

  /** Everything finite, and at least one sample. */
  get isUsable(): boolean {
    return this.samples > 0 && this.sum.every(Number.isFinite);
  }

  /** C: the mean, plus a hundredth of its mean diagonal on the diagonal. Replaces the sum. */
  damped(): Float64Array {
    const { sum, width, samples } = this;
    let diagonal = 0;
    for (let i = 0; i < sum.length; i++) sum[i] /= samples;
    for (let i = 0; i < width; i++) diagonal += sum[i * width + i];
    for (let i = 0; i < width; i++) sum[i * width + i] += (DAMPING * diagonal) / width;
    return sum;
  }
}

/**
 * CorDA (Yang et al., arXiv 2406.05223; PEFT's tuners/lora/corda.py): with U S Vᵀ = W C, A = √(S/s) Vᵀ C⁻¹ and
 * B = U √(S/s), of the largest singular values ("ipm", instruction-previewed) or the smallest ("kpm", knowledge-preserved). Vᵀ C⁻¹ is
 * S⁻¹ Uᵀ W, so that no inverse is needed, and C need not be damped more where a float32 inverse of it would be inexact.
 *
 * @param C the layer's `InputCovariance`, damped: (in, in)
 */
export function cordaStart(layer: StartingLayer, C: Float64Array, method: 'ipm' | 'kpm'): Start {
  const { weight, inFeatures, outFeatures, rank, scale } = layer;
  const map = weightTimesCovariance(layer, C);
  const { values, left } = method === 'ipm' ? largestTriplets(map, rank, TOLERANCE) : smallest(layer, C);
  const W = matrixMap(weight, outFeatures, inFeatures);
  const roots = values.map((v) => Math.sqrt(v / scale));
  const along = left.map(W.back);
  // Uᵀ W is 0 where the singular value is.
  return startOf(along, left, {
    A: roots.map((root, k) => (values[k] > 0 ? root / values[k] : 0)),
    B: roots,
  });
}

/** W C, never built for its largest values. */
function weightTimesCovariance(
  { weight, inFeatures, outFeatures }: StartingLayer,
  C: Float64Array,
): LinearMap {
  const W = matrixMap(weight, outFeatures, inFeatures);
  const covariance = matrixMap(C, inFeatures, inFeatures);
  return {
    rows: outFeatures,
    columns: inFeatures,
    along: (v) => W.along(covariance.along(v)),
    back: (u) => covariance.along(W.back(u)),
  };
}

/**
 * The smallest singular values of M = W C, largest of them first: the largest eigenvalues of the inverse of M Mᵀ or, if it
 * is smaller, MᵀM, by its Cholesky factor. Takes time in proportion to the third power of the smaller dimension.
 */
function smallest(layer: StartingLayer, C: Float64Array): Pick<Triplets, 'values' | 'left'> {
  const { inFeatures, outFeatures, rank } = layer;
  const map = weightTimesCovariance(layer, C);
  const isTall = outFeatures > inFeatures;
  const size = Math.min(inFeatures, outFeatures);
  const rows = isTall ? columnsOf(map) : rowsOf(map);
  const factor = cholesky(gram(rows), size);
  const inverse = (v: Float64Array) => solved(factor, size, v);
  const found = largestTriplets(
    { rows: size, columns: size, along: inverse, back: inverse },
    rank,
    TOLERANCE,
  );
  const vectors = [...found.left].reverse();
  const others = vectors.map(isTall ? map.along : map.back);
  const values = others.map(length);
  const left = isTall ? others.map((v, k) => (values[k] > 0 ? v.map((x) => x / values[k]) : v)) : vectors;
  return { values, left };
}

const length = (v: Float64Array): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));

const rowsOf = ({ rows, back }: LinearMap): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => back(unit(rows, i)));

const columnsOf = ({ columns, along }: LinearMap): Float64Array[] =>
  Array.from({ length: columns }, (_, i) => along(unit(columns, i)));

function unit(size: number, at: number): Float64Array {
  const v = new Float64Array(size);
  v[at] = 1;
  return v;
}

/** The lower half of the products of all pairs, (size, size), with the shift on its diagonal. */
function gram(vectors: readonly Float64Array[]): Float64Array {
  const size = vectors.length;
  const out = new Float64Array(size * size);
  let trace = 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      const [x, y] = [vectors[i], vectors[j]];
      let sum = 0;
      for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
      out[i * size + j] = sum;
      if (i === j) trace += sum;
    }
  for (let i = 0; i < size; i++) out[i * size + i] += (SHIFT * trace) / size;
  return out;
}
