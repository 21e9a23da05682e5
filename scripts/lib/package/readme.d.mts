import type { Pages } from './repository.mjs';

export function standalone(path: string, pages?: Pages): string;
