import { AuroraError } from '../../base/errors';

/** True if the engine ran out of memory, or Node, which holds the batch itself. */
export const isOutOfMemory = (e: unknown): boolean =>
  e instanceof AuroraError
    ? e.kind === 'memory'
    : e instanceof RangeError && /allocation failed|Invalid typed array length/i.test(e.message);
