/** Exact, with separators: 2,256 */
export const count = (n: number): string => n.toLocaleString('en-US');

export const loss = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
