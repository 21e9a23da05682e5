/** Reads the arguments of `npm test`. */
export function testRequest(
  args: string[],
  tiers: string[],
): { tiers: string[]; filters: string[]; quick: boolean };
