import type { Inspection } from '../adapters/inspection';
import { programError } from '../executors/local/program';
import type { ToolHost } from './tool';

/**
 * The report of `aurora inspect` on a model: our own parser in a separate process, so that any file is safe.
 *
 * @param options of the command; those that are undefined are left out
 * @throws AuroraError that explains why the model cannot be used
 */
export async function inspected(
  host: ToolHost,
  model: string,
  options: Readonly<Record<string, string | number | undefined>>,
): Promise<Inspection> {
  const given = Object.entries(options).flatMap(([key, value]) =>
    value === undefined ? [] : [`--${key}=${value}`],
  );
  const result = await host.program(['inspect', model, '--json', ...given]);
  if (result.code !== 0) throw programError(result, 'inspect');
  return JSON.parse(result.stdout) as Inspection;
}
