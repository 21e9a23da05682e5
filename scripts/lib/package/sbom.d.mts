import type { Metafile } from 'esbuild';

export interface Component {
  'bom-ref': string;
  name: string;
  version: string;
  licenses: ({ expression: string } | { license: { id: string } })[];
  hashes: { alg: 'SHA-512'; content: string }[];
  purl: string;
}

export interface Sbom {
  bomFormat: string;
  specVersion: string;
  components: Component[];
}

export function shippedPlaces(metafiles: Pick<Metafile, 'outputs'>[]): string[];
export function isAllowed(license: unknown): boolean;
export function sbom(options: {
  product: { name: string; version: string; license: string };
  places: string[];
  programs?: { name: string; version: string; license: string; integrity: string; package: string }[];
  lock?: Record<string, { version: string; license?: string; integrity?: string }>;
}): Sbom;
