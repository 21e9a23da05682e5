/** Evaluations in samples.json, besides the last one. */
export const MOST_EVALUATIONS = 100;

/**
 * True if an evaluation is kept once there are `total`: if there are many, each second, fourth, eighth … one, with the
 * first and the last. The choice follows from the numbers alone, so that a resumed run has the same content.
 *
 * @param nth of the evaluation, from 1
 */
export function isKept(nth: number, total: number, most = MOST_EVALUATIONS): boolean {
  let stride = 1;
  while (Math.ceil(total / stride) > most) stride *= 2;
  return nth === total || (nth - 1) % stride === 0;
}

/** Evenly spread places in a list, the same ones for the same length. */
export const spreadPlaces = (length: number, count: number): number[] =>
  length <= count
    ? Array.from({ length }, (_, i) => i)
    : Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * length) / count));
