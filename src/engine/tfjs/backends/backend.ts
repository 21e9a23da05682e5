import { AuroraError } from '../../../base/errors';
import { placeName, type TfjsBackend } from '../../place';
import type { EvaluatorOptions } from '../../stepper';
import type { Tf } from '../op';
import { loadTensorflow, requireGpu } from './tensorflow';
import { loadWasm } from './wasm';
import { loadWebgpu, watchFaults } from './webgpu';

const LOADERS: Record<TfjsBackend, (threads?: number) => Promise<Tf>> = {
  async cpu() {
    const library = await import('../library');
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
