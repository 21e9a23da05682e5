import type { Manifest } from '../../src/extension/manifest/sections';

/** The files that contribute to package.json, by path in the repository. */
export function contributing(): string[];
/** What the extension's code declares. */
export function declaredManifest(): Promise<Manifest>;
export function writeManifest(): Promise<void>;
