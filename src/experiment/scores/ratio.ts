/** a / b; 0 of nothing, so that every evaluation is finite (scikit-learn's zero_division=0). */
export const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
