import { AuroraError } from '../../shared/errors';

const RUNTIME = /std::bad_alloc|bad allocation|Failed to allocate memory/;

/** Whether there was no memory for it: the engine's word, or that of Node, which holds the batch itself. */
export function isOutOfMemory(e: unknown): boolean {
  if (e instanceof AuroraError)
    return e.kind === 'memory' || (e.cause instanceof Error && RUNTIME.test(e.cause.message));
  return e instanceof RangeError && /allocation failed|Invalid typed array length/i.test(e.message);
}
