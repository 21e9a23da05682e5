/**
 * The inverse of the standard normal distribution function: Wichura, algorithm AS 241 (PPND16), Applied
 * Statistics 37 (1988), relative accuracy about 1e-16.
 */
/* eslint-disable no-loss-of-precision -- the digits as printed there */
const CENTER = {
  p: [
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
  ],
  q: [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
    39307.89580009271061, 28729.085735721942674, 5226.495278852854561,
  ],
};
const NEAR_TAIL = {
  p: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 0.00077454501427834140764,
  ],
  q: [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 0.0005475938084995344946, 1.05075007164441684324e-9,
  ],
};
const FAR_TAIL = {
  p: [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
    0.026532189526576123093, 0.0012426609473880784386, 0.0000271155556874348757815, 2.01033439929228813265e-7,
  ],
  q: [
    1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 0.0007868691311456132591,
    0.000018463183175100546818, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
};

/* eslint-enable no-loss-of-precision */

const horner = (coefficients: number[], x: number): number =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0);

const ratio = (r: { p: number[]; q: number[] }, x: number): number => horner(r.p, x) / horner(r.q, x);

/** ln x for 0 < x < 1 from exactly rounded operations alone: Math.log may differ between platforms in its last bit. */
function log(x: number): number {
  let exponent = 0;
  for (; x < Math.SQRT1_2; x *= 2) exponent--;
  const s = (x - 1) / (x + 1);
  let sum = 0;
  for (let k = 23; k > 0; k -= 2) sum = sum * s * s + 2 / k;
  return exponent * Math.LN2 + sum * s;
}

/** @param p strictly between 0 and 1 */
export function inverseNormal(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTER, 0.180625 - q * q);
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p));
  const x = r <= 5 ? ratio(NEAR_TAIL, r - 1.6) : ratio(FAR_TAIL, r - 5);
  return q < 0 ? -x : x;
}
