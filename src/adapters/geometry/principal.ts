import { symmetricEigen } from './symmetric-eigen';

/**
 * Points on their first two principal components, from their inner products alone: the eigenvectors of the doubly
 * centered matrix, scaled by the roots of its eigenvalues (classical scaling; Mardia, Kent and Bibby, chapter 14).
 *
 * @param products ⟨point i, point j⟩, n rows of n
 */
export function principalPlane(products: readonly ArrayLike<number>[]): {
  points: { x: number; y: number }[];
  /** Share of the variance that each component explains. */
  shares: [number, number];
} {
  const n = products.length;
  const means = products.map((row) => Array.from(row).reduce((a, b) => a + b, 0) / n);
  const mean = means.reduce((a, b) => a + b, 0) / n;
  const centered = products.map((row, i) => Array.from(row, (v, j) => v - means[i] - means[j] + mean));
  const { values, vectors } = symmetricEigen(centered);
  const all = values.reduce((sum, v) => sum + Math.max(0, v), 0);
  const axis = (k: number): number[] => {
    if (k >= n) return new Array<number>(n).fill(0);
    const length = Math.sqrt(Math.max(0, values[k]));
    // The sign is arbitrary: the last point, or the farthest, is on the positive side.
    const far =
      k === 0
        ? n - 1
        : vectors[k].reduce((best, v, i, all) => (Math.abs(v) > Math.abs(all[best]) ? i : best), 0);
    const sign = vectors[k][far] < 0 ? -1 : 1;
    return Array.from(vectors[k], (v) => sign * length * v);
  };
  const [x, y] = [axis(0), axis(1)];
  const share = (k: number) => (all > 0 ? Math.max(0, values[k] ?? 0) / all : 0);
  return { points: x.map((v, i) => ({ x: v, y: y[i] })), shares: [share(0), share(1)] };
}
