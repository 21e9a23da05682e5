import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { AuroraError, type ErrorKind } from '../../../src/base/errors';
import { scratchFolder } from '../../scratch';

/** Writes files into a temporary folder of this test file and returns their paths. */
export function temporaryFolder(): {
  path: string;
  write: (name: string, data: string | Uint8Array) => string;
} {
  const path = scratchFolder('data');
  return {
    path,
    write: (name, data) => {
      writeFileSync(join(path, name), data);
      return join(path, name);
    },
  };
}

/** The AuroraError that `run` throws, as "message | hint". */
export function failure(kind: ErrorKind, run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return described(kind, error);
  }
  throw new Error('nothing was thrown');
}

/** The AuroraError that `promise` is rejected with, as "message | hint". */
export const rejection = (kind: ErrorKind, promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => described(kind, error),
  );

function described(kind: ErrorKind, error: unknown): string {
  expect(error).toBeInstanceOf(AuroraError);
  const { kind: thrown, message, hint } = error as AuroraError;
  expect(thrown).toBe(kind);
  return `${message} | ${hint ?? ''}`;
}
