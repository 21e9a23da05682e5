import type { BudgetModule } from '../adapters/budget/budget';

/** A linear layer called once per forward pass. */
export const linear = (
  path: string,
  inFeatures: number,
  outFeatures: number,
  hasBias = true,
): BudgetModule => ({ path, inFeatures, outFeatures, calls: 1, hasBias });

export const times = <T>(count: number, make: (i: number) => T[]): T[] =>
  Array.from({ length: count }, (_, i) => make(i)).flat();
