import { fileURLToPath } from 'node:url';

/** A file of test/fixtures/reference. */
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/reference/${name}`, import.meta.url));
