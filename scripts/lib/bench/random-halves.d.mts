/** Writes a safetensors file of random numbers in 16 bits, and ones for the weights of norms. */
export function writeHalves(path: string, weights: [string, number[]][], dtype?: 'F16' | 'BF16'): void;
