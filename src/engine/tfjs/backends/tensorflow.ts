import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Tf } from '../op';
import { provideOldUtil } from './old-util';

const PACKAGE = '@tensorflow/tfjs-node-gpu';
const HINT =
  'Run `AuroRA: Install GPU Support` in VS Code, or `aurora gpu install tensorflow` in a terminal.';

/**
 * TensorFlow's own library, through CUDA. Opt-in: looked up where GPU support was installed,
 * `<AURORA_GPU_SUPPORT>/tensorflow`, else among the installed packages. The package contains its own tfjs-core, which
 * the engine then uses.
 */
export async function loadTensorflow(): Promise<Tf> {
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
  throw new AuroraError('device', `${PACKAGE} is not installed.`, HINT, { cause: missing });
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
    throw new AuroraError('device', message, HINT, { cause });
  }
}

/**
 * Without a GPU the library computes on the CPU and only logs it, but a user who chose it wants the GPU.
 * @throws AuroraError 'device'
 */
export function requireGpu(tf: Tf): void {
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  if (isUsingGpuDevice !== false) return;
  throw new AuroraError(
    'device',
    'TensorFlow found no usable GPU and would compute on the CPU.',
    'Install the NVIDIA driver, CUDA 11.2 and cuDNN 8.1, and put their lib folders on LD_LIBRARY_PATH (PATH on Windows).',
  );
}
