/**
 * Sizes of a batch, in the rounds of a probe: all orders of these, so that each leading axis has a unique sequence of
 * three.
 */
export const BATCHES = orders(2, 3, 5);

/**
 * Sizes of the other axes: common ones, then small ones for short position tables, then long ones for strided
 * convolutions over audio. No sequence of three equals another, or a batch's, plus a constant.
 */
export const LENGTHS = [
  [...orders(7, 11, 13), ...orders(17, 19, 23)],
  orders(4, 6, 7),
  [...orders(809, 821, 1013), ...orders(1021, 1031, 1061)],
];

function orders(a: number, b: number, c: number): number[][] {
  return [
    [a, b, c],
    [b, c, a],
    [c, a, b],
    [a, c, b],
    [c, b, a],
    [b, a, c],
  ];
}
