import { existsSync, readFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { GPU_SUPPORT_VARIABLE } from '../protocol/gpu-support';
import { gpuFolder, ownRuntime, readInstalled } from './gpu-folders';

/**
 * Lets this process and its children find the installed parts: the environment names the folder, and if it holds the
 * CUDA provider, `onnxruntime-node` is loaded from there, since ONNX Runtime searches for providers beside its own
 * library. It is the same build, so nothing else changes. Loads nothing.
 *
 * @param dist the folder of the program
 */
export function useGpuSupport(dist: string): void {
  const gpu = (process.env[GPU_SUPPORT_VARIABLE] ||= gpuFolder());
  const full = join(gpu, 'cuda', 'node_modules', 'onnxruntime-node');
  // Another version than ours stays unused: an update of the extension asks for a new one.
  const version = readInstalled(gpu, 'cuda')?.version;
  if (version === undefined || version !== ownVersion(dist) || !existsSync(full)) return;
  // Module.registerHooks would be clearer, but Node 20 lacks it.
  const internals = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
  const resolve = internals._resolveFilename;
  internals._resolveFilename = (request, ...rest) =>
    resolve(
      request.replace(/^onnxruntime-node(?=\/|$)/, () => full),
      ...rest,
    );
}

/** Undefined in a build without a runtime. */
function ownVersion(dist: string): string | undefined {
  try {
    const manifest = readFileSync(join(ownRuntime(dist).runtime, 'package.json'), 'utf8');
    return (JSON.parse(manifest) as { version: string }).version;
  } catch {
    return undefined;
  }
}
