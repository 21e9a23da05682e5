import { AuroraError } from '../../base/errors';

/** Whether there was no memory for it: the engine's word, or that of Node, which holds the batch itself. */
export const isOutOfMemory = (e: unknown): boolean =>
  e instanceof AuroraError
    ? e.kind === 'memory'
    : e instanceof RangeError && /allocation failed|Invalid typed array length/i.test(e.message);
