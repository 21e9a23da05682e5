export const loss = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
