import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import { AuroraError } from '../../base/errors';
import type { TfjsBackend } from '../place';
import { placeName } from '../../protocol/device-words';
import type { EvaluatorOptions } from '../stepper';
import type { Tf } from './op';

const PACKAGE = '@tensorflow/tfjs-node-gpu';
const INSTALL_PACKAGE =
  'Run `AuroRA: Install GPU Support` in VS Code, or `aurora gpu install tensorflow` in a terminal.';

/**
 * TensorFlow's own library, through CUDA. Opt-in: looked up where GPU support was installed,
 * `<AURORA_GPU_SUPPORT>/tensorflow`, else among the installed packages. The package contains its own tfjs-core, which
 * the engine then uses.
 */
async function loadTensorflow(): Promise<Tf> {
  const support = process.env.AURORA_GPU_SUPPORT;
  const places = [...(support ? [join(support, 'tensorflow', 'package.json')] : []), __filename];
  let missing: Error | undefined;
  for (const place of places) {
    const load = createRequire(place);
    try {
      load.resolve(PACKAGE);
    } catch (e) {
      missing ??= e as Error;
      continue;
    }
    return loaded(() => load(PACKAGE) as Tf);
  }
  throw new AuroraError('device', `${PACKAGE} is not installed.`, INSTALL_PACKAGE, { cause: missing });
}

function loaded(load: () => Tf): Tf {
  provideOldUtil();
  try {
    return load();
  } catch (cause) {
    const said = (cause as Error).message.split('\n')[0].replace(/[.\s]+$/, '');
    // Its own message is only a path.
    const message = /native addon module .* can not be found/.test(said)
      ? "TensorFlow's native library is not installed."
      : `${PACKAGE} could not be loaded: ${said}.`;
    throw new AuroraError('device', message, INSTALL_PACKAGE, { cause });
  }
}

/**
 * Without a GPU the library computes on the CPU and only logs it, but a user who chose it wants the GPU.
 * @throws AuroraError 'device'
 */
function requireGpu(tf: Tf): void {
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  if (isUsingGpuDevice !== false) return;
  throw new AuroraError(
    'device',
    'TensorFlow found no usable GPU and would compute on the CPU.',
    'Install the NVIDIA driver, CUDA 11.2 and cuDNN 8.1, and put their lib folders on LD_LIBRARY_PATH (PATH on Windows).',
  );
}

const SIMD = 'tfjs-backend-wasm-simd.wasm';

/**
 * The WebAssembly backend. Under Node it always has one thread: tfjs' own threads are for browsers (its flag
 * WASM_HAS_MULTITHREAD_SUPPORT is false here).
 */
async function loadWasm(): Promise<Tf> {
  const library = await import('./library');
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

const INSTALL_DRIVER = 'Install the graphics driver of your GPU (Vulkan on Linux), or choose another device.';

/** The WebGPU backend on Dawn, the implementation in Chrome, as a native module for Node. */
async function loadWebgpu(): Promise<Tf> {
  await provideGpu();
  const library = await import('./library');
  await library.importWebgpu();
  return library.tf;
}

/** Provides `navigator.gpu` as in a browser: tfjs asks it for its device. */
async function provideGpu(): Promise<void> {
  if ((globalThis.navigator as { gpu?: unknown } | undefined)?.gpu) return;
  const { create, globals } = await import('webgpu').catch((cause: Error) => {
    throw new AuroraError('device', `WebGPU cannot be loaded here: ${cause.message}.`, INSTALL_DRIVER, {
      cause,
    });
  });
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) throw new AuroraError('device', 'WebGPU found no usable GPU.', INSTALL_DRIVER);
  // Node has a navigator from version 21 on.
  if (globalThis.navigator === undefined)
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
}

interface Device extends EventTarget {
  limits: { maxStorageBufferBindingSize: number };
}

const deviceOf = (tf: Tf): Device | undefined =>
  tf.getBackend() === 'webgpu' ? (tf.backend() as unknown as { device: Device }).device : undefined;

/** The largest tensor of a backend, in bytes: a WebGPU shader cannot read more. */
export const largestTensor = (tf: Tf): number => deviceOf(tf)?.limits.maxStorageBufferBindingSize ?? Infinity;

const watched = new WeakSet<Device>();
let fault: string | undefined;

/** WebGPU does not throw: a failure, such as a buffer that is too large, is an event, and the results are zeros. */
function watchFaults(tf: Tf): void {
  const device = deviceOf(tf);
  if (!device || watched.has(device)) return;
  watched.add(device);
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    fault ??= (event as Event & { error: { message: string } }).error.message;
  });
}

/** Failures on the GPU since the last call. */
export function takeFault(): string | undefined {
  const taken = fault;
  fault = undefined;
  return taken;
}

const LOADERS: Record<TfjsBackend, (threads?: number) => Promise<Tf>> = {
  async cpu() {
    const library = await import('./library');
    await library.importCpu();
    return library.tf;
  },
  wasm: loadWasm,
  webgpu: loadWebgpu,
  tensorflow: loadTensorflow,
};

/**
 * tfjs-core with the backend of `options.place` active.
 * @throws AuroraError 'device' if this machine lacks a requirement of the backend
 */
export async function loadBackend({ place, threads }: EvaluatorOptions): Promise<Tf> {
  const device = place?.device ?? 'cpu';
  if (!Object.hasOwn(LOADERS, device)) throw new Error(`TensorFlow.js has no device ${device}.`);
  const name = device as TfjsBackend;
  const tf = await LOADERS[name](threads);
  // Otherwise it logs that another package would be faster, and checks every number.
  tf.enableProdMode();
  if (await selectBackend(tf, name)) {
    if (name === 'tensorflow') requireGpu(tf);
    watchFaults(tf);
    return tf;
  }
  throw new AuroraError(
    'device',
    `${placeName({ engine: 'tfjs', device: name })} could not be started.`,
    'Choose another device.',
  );
}

/** tfjs has one backend at a time for the whole process: a task selects its own before each of its runs. */
export const selectBackend = (tf: Tf, name: string): Promise<boolean> => tf.setBackend(name);

/** Functions that tfjs-node-gpu calls and Node 23 removed. */
export function provideOldUtil(): void {
  const old = util as { isNullOrUndefined?: (x: unknown) => boolean };
  old.isNullOrUndefined ??= (x) => x === null || x === undefined;
}
