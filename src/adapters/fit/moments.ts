/**
 * Mean and covariance of vectors that are added one by one (Welford, Technometrics 4, 1962): the sums about the mean lose
 * no digits where the mean is large beside the deviation, and the memory does not depend on how many vectors there are.
 */
export class Moments {
  count = 0;
  readonly mean: Float64Array;
  private readonly products: Float64Array;
  private readonly change: Float64Array;

  /** @param size of each vector */
  constructor(readonly size: number) {
    this.mean = new Float64Array(size);
    this.products = new Float64Array(size * size);
    this.change = new Float64Array(size);
  }

  add(vector: ArrayLike<number>): void {
    const { size, mean, products, change } = this;
    this.count++;
    for (let i = 0; i < size; i++) change[i] = vector[i] - mean[i];
    // (x − old mean)(x − new mean)ᵀ, with the new mean in terms of the old one.
    const left = (this.count - 1) / this.count;
    for (let i = 0; i < size; i++) {
      const scaled = change[i] * left;
      for (let j = 0; j <= i; j++) products[i * size + j] += scaled * change[j];
    }
    for (let i = 0; i < size; i++) mean[i] += change[i] / this.count;
  }

  /** Divided by the count, (size, size); zeros without vectors. */
  covariance(): Float64Array {
    const { size, products, count } = this;
    const out = new Float64Array(size * size);
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++)
        out[i * size + j] = out[j * size + i] = products[i * size + j] / Math.max(1, count);
    return out;
  }
}
