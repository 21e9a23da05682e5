export function ensureMcpConformance(): string;
