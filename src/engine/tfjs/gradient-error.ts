import { AuroraError } from '../../shared/errors';
import type { Tf } from './op';

/** What tfjs says when its tape cannot go back, as something a person can act on. */
export function gradientError(tf: Tf, e: unknown): unknown {
  if (e instanceof AuroraError || !(e instanceof Error)) return e;
  const backend = tf.getBackend();
  const kernel = /Kernel '(\w+)' not registered for backend/.exec(e.message)?.[1];
  const missing = kernel ?? /gradient function not found for (\w+)/.exec(e.message)?.[1];
  if (!missing) return e;
  return new AuroraError(
    'operator',
    `TensorFlow.js has no ${kernel ? `kernel ${kernel}, which a gradient needs,` : `gradient of ${missing}`} on its ${backend} backend.`,
    backend === 'cpu'
      ? 'Use the ONNX Runtime engine for this model.'
      : 'Choose the device cpu of this engine, or the ONNX Runtime engine.',
    { cause: e },
  );
}
