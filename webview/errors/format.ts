/** Exact, with separators: 2,256 */
export const count = (n: number): string => n.toLocaleString('en-US');

/** A share as people read it; never the all or nothing that it is not. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${100 * share} %`;
  if (share < 0.001) return '< 0.1 %';
  return share > 0.999 ? '> 99.9 %' : `${(100 * share).toFixed(1)} %`;
}

export const loss = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
