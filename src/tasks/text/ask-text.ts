import { AuroraError } from '../../base/errors';

/** @throws AuroraError 'data' if an input has no tokens */
export function requireTokens({ size }: { size: number }): void {
  if (size === 0)
    throw new AuroraError('data', 'The tokenizer produces no tokens for this text.', 'Type some words.');
}
