export const SDXL_CONFIG: Readonly<Record<string, unknown>>;
/** Name and shape of each of its weights. */
export function sdxlWeights(): [string, number[]][];
