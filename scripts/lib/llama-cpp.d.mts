export function ensureLlamaCpp(): string;
