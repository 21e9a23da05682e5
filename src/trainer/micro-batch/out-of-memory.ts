import { AuroraError } from '../../base/errors';

/** Whether the engine, or Node, which holds the batch itself, ran out of memory. */
export const isOutOfMemory = (e: unknown): boolean =>
  e instanceof AuroraError
    ? e.kind === 'memory'
    : e instanceof RangeError && /allocation failed|Invalid typed array length/i.test(e.message);
