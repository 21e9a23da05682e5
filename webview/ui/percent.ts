/** A share as people read it: 93.4 %; never the all or nothing that it is not. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${100 * share} %`;
  if (share < 0.0005) return '<0.1 %';
  return share > 0.9995 ? '>99.9 %' : `${(100 * share).toFixed(1)} %`;
}
