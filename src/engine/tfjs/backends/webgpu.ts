import { AuroraError } from '../../../base/errors';
import type { Tf } from '../op';

const HINT = 'Install the graphics driver of your GPU (Vulkan on Linux), or choose another device.';

/** The WebGPU backend on Dawn, the implementation in Chrome, as a native module for Node. */
export async function loadWebgpu(): Promise<Tf> {
  await provideGpu();
  const library = await import('../library');
  await library.importWebgpu();
  return library.tf;
}

/** Provides `navigator.gpu` as in a browser: tfjs asks it for its device. */
async function provideGpu(): Promise<void> {
  if ((globalThis.navigator as { gpu?: unknown } | undefined)?.gpu) return;
  const { create, globals } = await import('webgpu').catch((cause: Error) => {
    throw new AuroraError('device', `WebGPU cannot be loaded here: ${cause.message}.`, HINT, { cause });
  });
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) throw new AuroraError('device', 'WebGPU found no usable GPU.', HINT);
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
export function watchFaults(tf: Tf): void {
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
