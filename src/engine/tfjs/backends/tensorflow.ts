import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import { AuroraError } from '../../../shared/errors';
import type { Tf } from '../op';

const PACKAGE = '@tensorflow/tfjs-node-gpu';
const HINT = 'Run AuroRA: Install GPU Support, or `aurora gpu install tensorflow`.';

/**
 * TensorFlow's own library, through CUDA. It is an opt-in: looked for where GPU support was installed,
 * `<AURORA_GPU_SUPPORT>/tensorflow`, else among the installed packages. The package brings a tfjs-core of its
 * own, and the engine works with that one.
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
    return withOldUtil(() => load(PACKAGE) as Tf);
  }
  throw new AuroraError('device', `${PACKAGE} is not installed.`, HINT, { cause: missing });
}

/** The package calls a function that Node 23 removed. */
function withOldUtil(load: () => Tf): Tf {
  const old = util as { isNullOrUndefined?: (x: unknown) => boolean };
  old.isNullOrUndefined ??= (x) => x === null || x === undefined;
  try {
    return load();
  } catch (cause) {
    const said = (cause as Error).message.split('\n')[0].replace(/[.\s]+$/, '');
    // Its own words for it are a path.
    const message = /native addon module .* can not be found/.test(said)
      ? "TensorFlow's native library is not installed."
      : `${PACKAGE} does not load: ${said}.`;
    throw new AuroraError('device', message, HINT, { cause });
  }
}
