import { AuroraError } from '../../base/errors';
import { inputExists, readInput } from '../../files/inputs/open';

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object from one of a tokenizer's files. @throws AuroraError 'tokenizer' */
export function readJson(path: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(readInput(path, 'tokenizer').toString('utf8'));
  } catch (cause) {
    const what = cause instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read';
    throw new AuroraError(
      'tokenizer',
      `${path} ${what}: ${(cause as Error).message}`,
      'Restore it from the model’s source.',
      { cause },
    );
  }
  if (!isObject(value)) throw new AuroraError('tokenizer', `${path} is not a JSON object.`);
  return value;
}

/** Empty if there is no such file. */
export const jsonOrEmpty = (path: string): Json => (inputExists(path, 'tokenizer') ? readJson(path) : {});
