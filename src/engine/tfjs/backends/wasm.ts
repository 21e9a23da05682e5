import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Tf } from '../op';

const SIMD = 'tfjs-backend-wasm-simd.wasm';

/**
 * The WebAssembly backend. Under Node it always has one thread: tfjs' own threads are for browsers (its flag
 * WASM_HAS_MULTITHREAD_SUPPORT is false here).
 */
export async function loadWasm(): Promise<Tf> {
  const library = await import('../library');
  const wasm = await library.importWasm();
  wasm.setWasmPaths(`${wasmFolder()}/`);
  return library.tf;
}

/** Next to the program in a package, else in the installed library. */
function wasmFolder(): string {
  const folders = [join(__dirname, 'wasm')];
  try {
    folders.push(dirname(createRequire(__filename).resolve('@tensorflow/tfjs-backend-wasm')));
  } catch {
    // A package has no node_modules.
  }
  const found = folders.find((f) => existsSync(join(f, SIMD)));
  if (found) return found;
  throw new AuroraError(
    'device',
    `${SIMD} is missing from ${folders[0]}.`,
    'The installation is incomplete: install AuroRA Lab again.',
  );
}
