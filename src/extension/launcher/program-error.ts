import { AuroraError, EXIT, type ErrorKind } from '../../base/errors';
import type { ProgramResult } from './client';

/** Lines of a program that failed without reporting an error: the reason is rarely in the last one alone. */
const SAID = 6;

/** The standard error of a failed `aurora` command: "error: MESSAGE", then an indented hint. */
export function programError({ code, stderr }: ProgramResult, command: string): AuroraError {
  const kind = (Object.keys(EXIT) as (keyof typeof EXIT)[]).find((k) => k !== 'ok' && EXIT[k] === code);
  const start = /^error: /m.exec(stderr);
  if (!start) {
    const said = stderr.trim().split('\n').slice(-SAID).join('\n');
    return new AuroraError(
      'failed',
      `aurora ${command} ended with code ${code}${said ? `: ${said}` : ' without output'}.`,
      'Run it in a terminal for details.',
    );
  }
  const lines = stderr.slice(start.index + start[0].length).split('\n');
  const hintAt = lines.findIndex((line, i) => i > 0 && line.startsWith('       '));
  const message = lines.slice(0, hintAt < 0 ? undefined : hintAt);
  const hint = hintAt < 0 ? undefined : lines.slice(hintAt).join('\n');
  return new AuroraError(
    (kind as ErrorKind | undefined) ?? 'failed',
    message.join('\n').trim(),
    hint?.trim(),
  );
}
