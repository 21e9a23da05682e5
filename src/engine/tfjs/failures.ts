import { AuroraError } from '../../base/errors';
import type { TfjsBackend } from '../place';
import { placeName } from '../../protocol/device-words';
import type { Tf } from './op';

/** Messages of the backends and of JavaScript itself when memory runs out. */
const NO_MEMORY =
  /out of memory|\bOOM\b|allocation failed|cannot enlarge memory|invalid (typed )?array length|exceeds? (the )?max(imum)? (buffer|texture)|ResourceExhausted|Aborted\(|larger than the maximum/i;

const here = (tf: Tf): string => placeName({ engine: 'tfjs', device: tf.getBackend() as TfjsBackend });

/** Converts an out-of-memory error to an AuroraError 'memory'. */
export function memoryError(tf: Tf, cause: unknown): AuroraError | undefined {
  if (!(cause instanceof Error) || cause instanceof AuroraError || !NO_MEMORY.test(cause.message)) return;
  return new AuroraError(
    'memory',
    `The computation does not fit into the memory of ${here(tf)}: ${cause.message.replace(/[.\s]+$/, '')}.`,
    'Lower training.microBatchSize, or model.maxLength.',
    { cause },
  );
}

/** The error for a report of a GPU in addition to its results. */
export function faultError(tf: Tf, message: string): AuroraError {
  const [first] = message.split('\n');
  return (
    memoryError(tf, new Error(first)) ??
    new AuroraError(
      'device',
      `${here(tf)} failed: ${first.replace(/[.\s]+$/, '')}.`,
      'Choose another device, or update the graphics driver.',
    )
  );
}

/** Runs a step, and gives the user a next step if tfjs' tape cannot compute a gradient. */
export function attempt<T>(tf: Tf, run: () => T): T {
  try {
    return run();
  } catch (e) {
    throw memoryError(tf, e) ?? gradientError(tf, e) ?? e;
  }
}

function gradientError(tf: Tf, cause: unknown): AuroraError | undefined {
  if (!(cause instanceof Error) || cause instanceof AuroraError) return;
  const kernel = /Kernel '(\w+)' not registered for backend/.exec(cause.message)?.[1];
  const operator = /gradient function not found for (\w+)/.exec(cause.message)?.[1];
  const missing = kernel
    ? `no kernel ${kernel}, which a gradient needs`
    : operator
      ? `no gradient of ${operator}`
      : /Cannot compute gradient of y=f\(x\)/.test(cause.message)
        ? 'no gradient for some of the adapters: their path to the loss is not differentiable'
        : undefined;
  if (!missing) return;
  return new AuroraError(
    'operator',
    `${here(tf)} has ${missing}.`,
    kernel ? 'Choose the cpu device of this engine.' : 'Use the ONNX Runtime engine for this model.',
    { cause },
  );
}
