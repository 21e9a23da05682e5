import { AuroraError } from '../../base/errors';
import { shellQuote } from '../../base/shell-quote';

/**
 * A name that becomes part of a script, a command, a list or a manifest on a cluster. A line break in it would begin a
 * separate line there, whatever quotes are around it.
 *
 * @throws AuroraError 'experiment' if it has control characters
 */
export function requirePlain(name: string): string {
  if (!/\p{Cc}/u.test(name)) return name;
  throw new AuroraError(
    'experiment',
    `${JSON.stringify(name)} has a line break or another control character in its name.`,
    'Rename it: such names are not used on a cluster.',
  );
}

/** A name as a word of a script on the cluster. */
export const clusterQuote = (name: string): string => shellQuote(requirePlain(name), 'linux');
