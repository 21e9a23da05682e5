export function findChromium(): string | undefined;
export function ensureChromium(): string;
export function ensurePackages(names: string[], otherwise?: string): void;
