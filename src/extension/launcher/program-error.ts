import { AuroraError, errorFrom } from '../../base/errors';
import type { ProgramResult } from './client';
import { lastLines } from './log-tail';

/** Lines of a program that failed without reporting an error: the reason is rarely in the last one alone. */
const SAID = 6;

/** The error that ended an `aurora` command or, if it crashed, the end of its output. */
export function programError({ code, stderr, error }: ProgramResult, command: string): AuroraError {
  if (error) return errorFrom(error);
  const said = lastLines(stderr.trim(), SAID);
  return new AuroraError(
    'failed',
    `aurora ${command} ended with code ${code}${said ? `: ${said}` : ' without output'}.`,
    'Run it in a terminal for details.',
  );
}
