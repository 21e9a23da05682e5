import { realpath } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AuroraError } from '../../base/errors';

/**
 * The absolute path of a file or folder that a language model named. It must exist in the workspace, also after symbolic
 * links are followed.
 *
 * @param folders of the workspace
 * @param given absolute, or relative to one of the folders, whose name may come first
 * @throws AuroraError 'usage'
 */
export async function inWorkspace(folders: readonly string[], given: string): Promise<string> {
  const paths = isAbsolute(given)
    ? [resolve(given)]
    : folders.flatMap((folder) => [resolve(folder, given), ...afterName(folder, given)]);
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
  let outside = false;
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    const known = roots.some((root) => isWithin(root, real ?? path));
    if (real !== undefined && known) return path;
    outside ||= !known;
  }
  if (outside)
    throw new AuroraError(
      'usage',
      `${given} is outside the workspace, so it is not read.`,
      'Name a file of the workspace, relative to its folder.',
    );
  throw new AuroraError(
    'usage',
    `There is no ${given} in the workspace.`,
    'Give the path relative to the workspace folder.',
  );
}

/** In a workspace of several folders, VS Code names a file by its folder's name and the path in it. */
const afterName = (folder: string, given: string): string[] => {
  const [first, ...rest] = given.split(/[\\/]/);
  return first === basename(folder) ? [join(folder, ...rest)] : [];
};

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
