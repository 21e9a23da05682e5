import type { TokensChoice } from '../../../protocol/panels/tokens';
import type { TokenRow } from '../../../protocol/tokens';
import type { ProgramResult } from '../../launcher/client';
import { programError, programLine } from '../../../executors/local/program';

/**
 * A row by `aurora tokens … --json`.
 *
 * @param run runs a command of `aurora`
 * @throws AuroraError that the command reported
 */
export async function readRow(
  run: (args: readonly string[], onLine: (line: string) => void) => Promise<ProgramResult>,
  file: string,
  { row, split, batch }: TokensChoice,
): Promise<TokenRow> {
  let read: TokenRow | undefined;
  const args = [
    ...['tokens', file, '--json'],
    ...(row === undefined ? [] : [`--row=${row}`]),
    ...(split === undefined ? [] : [`--split=${split}`]),
    ...(batch ? ['--batch'] : []),
  ];
  const result = await run(args, (line) => (read = programLine<TokenRow>(line, ['tokens']) ?? read));
  if (!read) throw programError(result, 'tokens');
  return read;
}
