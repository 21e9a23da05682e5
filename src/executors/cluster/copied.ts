import type { CopiedSubmission } from './submissions';

/**
 * A warning for the user about a folder that is a copy, while trials of the original are trained again in it. Jobs that
 * train in the original's folder are the original's.
 *
 * @param left ids of the trials that have not finished and were not submitted here
 */
export function copiedText(
  copied: readonly CopiedSubmission[],
  left: ReadonlySet<string>,
): string | undefined {
  const theirs = copied.flatMap(({ tasks }) => tasks.map(({ trial }) => trial));
  const again = new Set(theirs.filter((trial) => left.has(trial)));
  if (again.size === 0) return undefined;
  const [trials, are] = again.size === 1 ? ['1 trial', 'is'] : [`${again.size} trials`, 'are'];
  return `This folder is a copy of ${copied.at(-1)!.original}. Jobs that were submitted there train there, and are neither followed nor canceled from here; ${trials} that had not finished when it was copied ${are} trained here separately.`;
}
