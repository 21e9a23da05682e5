import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPackage } from './npm-package.mjs';
import { ROOT } from './run.mjs';
import { readTarball } from './tarball.mjs';

const PACKAGE = {
  spec: 'onnxruntime-web@1.30.0',
  integrity:
    'sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==',
};
/** The part of its 160 MB that we need: ONNX Runtime in WebAssembly. */
const FILES = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

/**
 * The folder with ONNX Runtime for browsers, in which the export tests run files. Not a dependency: nothing else needs
 * it.
 */
export function ensureOnnxRuntimeWeb() {
  const folder = join(ROOT, '.cache', 'onnxruntime-web');
  if (FILES.every((name) => existsSync(join(folder, name)))) return folder;
  const files = readTarball(fetchPackage(PACKAGE));
  mkdirSync(folder, { recursive: true });
  for (const name of FILES) writeFileSync(join(folder, name), files.get(`dist/${name}`));
  return folder;
}
