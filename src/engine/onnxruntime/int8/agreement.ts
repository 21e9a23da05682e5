/** Gradients by the name of the trainable tensor. */
export type Gradients = ReadonlyMap<string, Float32Array>;

/**
 * Tensors with less than this share of the norm of all gradients are not compared: they barely move anything, and those
 * that are 0 but for rounding, such as that of a key's bias, agree with nothing.
 */
const SHARE = 1e-3;

/** The smallest cosine similarity of a tensor's two gradients; 1 without gradients, NaN if one is not finite. */
export function leastCosine(exact: Gradients, rounded: Gradients): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const squares = new Map([...exact].map(([name, g]) => [name, dot(g, g)] as const));
  const whole = [...squares.values()].reduce((a, b) => a + b, 0);
  return [...exact].reduce((least, [name, g]) => {
    const square = squares.get(name)!;
    if (square === 0 || square < SHARE ** 2 * whole) return least;
    const other = rounded.get(name)!;
    return Math.min(least, dot(g, other) / Math.sqrt(square * dot(other, other)));
  }, 1);
}
