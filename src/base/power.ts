/**
 * Powers with the same bits on every supported version of Node. Those of `**` and Math.pow differ in the last bit between
 * Node 22 and 24, in one of ten powers of AdamW's betas; multiplications, square roots, Math.exp and Math.log do not.
 */

/** x to a whole power of at least 0. */
export function power(x: number, n: number): number {
  let result = 1;
  for (let square = x; n > 0; n = Math.floor(n / 2), square *= square) if (n % 2 === 1) result *= square;
  return result;
}

/** x > 0 to any power, with a relative error of about |y·ln x|·1e-16. */
export const realPower = (x: number, y: number): number => Math.exp(y * Math.log(x));
