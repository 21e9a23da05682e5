/**
 * p-values adjusted by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979): the smallest times m, the
 * next times m − 1, and so on, none below the one before it.
 */
export function holm(chances: readonly number[]): number[] {
  const order = chances.map((_, i) => i).sort((a, b) => chances[a] - chances[b]);
  const out = new Array<number>(chances.length);
  let least = 0;
  order.forEach((at, rank) => {
    least = Math.max(least, Math.min(1, (chances.length - rank) * chances[at]));
    out[at] = least;
  });
  return out;
}
