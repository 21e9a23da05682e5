/** 0.612 as "61.2%". */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;

/** A share of any size in three significant digits: 0.0598%, 6.26%, 147%. */
export function sharePercent(share: number): string {
  if (share > 0 && share < 1e-5) return '<0.001%';
  return share === 0 || share >= 9.995 ? percent(share, 0) : `${(100 * share).toPrecision(3)}%`;
}

/** A percentage of any size, rounded for reading: 0%, 0.4%, 12%, 130%; `tiny` for less than 0.1%. */
export function roughPercent(share: number, tiny = '<0.1%'): string {
  if (share === 0) return '0%';
  return share < 0.001 ? tiny : percent(share, share < 0.1 ? 1 : 0);
}

/** 93.4%, and never rounded to 0% or 100%. */
export function cautiousPercent(share: number): string {
  if (share === 0 || share === 1) return percent(share, 0);
  if (share < 0.0005) return '<0.1%';
  return share > 0.9995 ? '>99.9%' : percent(share);
}

/** Progress in percent, rounded down, so that it is never 100% before the end. */
export const progressPercent = (done: number, total: number): string =>
  `${Math.floor((100 * done) / total)}%`;
