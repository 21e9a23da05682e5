import { homedir, tmpdir } from 'node:os';
import type { AuroraError } from '../../base/errors';
import { editorHint } from './editor-hint';
import { shortPaths } from './short-paths';

/** Anything thrown, in one string for a page: the reason, then the next step, files without their paths. */
export function errorText(e: unknown): string {
  const { message = String(e), hint } = (e ?? {}) as Partial<AuroraError>;
  return shortPaths(hint ? `${message} ${editorHint(hint)}` : message, [homedir(), tmpdir()]);
}
