import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import type { Platform } from '../package/package-files';
import type { ClusterShell } from './shell';

/** Systems that `uname` and Node name differently. */
const SYSTEMS: Record<string, string> = { Linux: 'linux', Darwin: 'darwin' };
const PROCESSORS: Record<string, string> = { x86_64: 'x64', aarch64: 'arm64', arm64: 'arm64' };

/**
 * The system of the cluster, according to its login node; its compute nodes are assumed to be alike.
 *
 * @throws AuroraError 'network' as the shell, 'device' for a system that no trainer runs on
 */
export async function clusterPlatform(shell: ClusterShell): Promise<Platform> {
  const { stdout } = await shell.run('uname -s; uname -m');
  const [system = '', processor = ''] = stdout.split('\n');
  const [platform, arch] = [own(SYSTEMS, system), own(PROCESSORS, processor)];
  if (platform !== undefined && arch !== undefined) return { platform, arch };
  throw new AuroraError(
    'device',
    `${shell.name} is ${system} on ${processor}, which AuroRA Lab cannot train on.`,
    'Use a cluster of Linux on x86_64 or aarch64.',
  );
}

/** The files among these that the login node does not see. */
export async function unseenFiles(shell: ClusterShell, paths: readonly string[]): Promise<string[]> {
  const { stdout } = await shell.run(
    'while IFS= read -r path; do [ -r "$path" ] || printf "%s\\n" "$path"; done',
    { input: lines(paths) },
  );
  const asked = new Set(paths);
  return stdout.split('\n').filter((line) => asked.has(line));
}

/**
 * Paths as lines of a script's input.
 *
 * @throws AuroraError 'experiment' for one that is several lines, has other control characters, or that no other program reads alike
 */
export function lines(paths: readonly string[]): string {
  // sha256sum writes a backslash in another way.
  const broken = paths.find((path) => /[\p{Cc}\\]/u.test(path));
  if (broken !== undefined)
    throw new AuroraError(
      'experiment',
      `${JSON.stringify(broken)} has a control character or a backslash in its name.`,
      'Rename it: files with such names are not sent to a cluster.',
    );
  return paths.map((path) => `${path}\n`).join('');
}
