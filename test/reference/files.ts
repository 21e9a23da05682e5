import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file of test/fixtures/reference. */
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/reference/${name}`, import.meta.url));

/** The names of all reference files. */
export const allFiles = (): string[] =>
  ['./', './more/'].flatMap((folder) =>
    readdirSync(fixture(folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => `${folder}${name}`),
  );

/** Where there is no driver and none can be installed, AURORA_TEST_WEBGPU=0 skips what needs one. */
export const onWebgpu = process.env.AURORA_TEST_WEBGPU !== '0';
