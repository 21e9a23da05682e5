import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { isPreRelease, missingForPublishing } from './lib/package/publishing.mjs';
import { stage } from './lib/package/stage.mjs';
import { HERE, TARGETS } from './lib/package/targets.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

const OUT = join(ROOT, 'dist-vsix');

/**
 * Makes a platform's package and returns its path. Needs a build, which makes the demo's model.
 * @param {string} target of TARGETS
 * @param {boolean} [preRelease] for the marketplace's pre-release channel
 */
export async function makePackage(target, preRelease = false) {
  say(`Packaging ${target} …`);
  const folder = join(ROOT, '.cache', 'package', target);
  await stage(target, folder);
  mkdirSync(OUT, { recursive: true });
  const path = packagePath(target);
  // vsce then sorts the files, and the archive has this time in place of theirs, which it writes in the local zone.
  process.env.SOURCE_DATE_EPOCH ??= '946684800';
  process.env.TZ = 'UTC';
  const { createVSIX } = await import('@vscode/vsce');
  await createVSIX({
    cwd: folder,
    packagePath: path,
    ...(target === 'universal' ? {} : { target }),
    // Everything is bundled; without this, vsce would ask npm for the dependencies in package.json.
    dependencies: false,
    rewriteRelativeLinks: false,
    skipLicense: false,
    preRelease,
    allowMissingRepository: true,
  });
  const size = (statSync(path).size / 2 ** 20).toFixed(1);
  const sha = createHash('sha256').update(readFileSync(path)).digest('hex');
  say(`${relative(ROOT, path)}: ${size} MB, sha256 ${sha.slice(0, 16)}…`);
  return path;
}

export function packagePath(target) {
  const { name, version } = manifest();
  return join(OUT, target === 'universal' ? `${name}-${version}.vsix` : `${name}-${target}-${version}.vsix`);
}

const manifest = () => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** True if the packages are for the pre-release channel, whose minor versions are odd. */
function forPreRelease(args) {
  const preRelease = args.includes('--pre-release');
  const { version } = manifest();
  if (preRelease && !isPreRelease(version))
    throw new Failure(
      `Version ${version} cannot be a pre-release: its minor version is even.`,
      'Raise it to the next odd one in package.json.',
    );
  return preRelease;
}

function wanted(args) {
  if (args.includes('--all')) return Object.keys(TARGETS);
  const at = args.indexOf('--target');
  if (at < 0) return [HERE];
  const target = args[at + 1];
  if (!(target in TARGETS))
    throw new Failure(
      `Unknown target "${target ?? ''}".`,
      `Targets: ${Object.keys(TARGETS).join(', ')}; --all builds all of them.`,
    );
  return [target];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  await main(async () => {
    const args = process.argv.slice(2);
    const targets = wanted(args);
    const preRelease = forPreRelease(args);
    ensureDependencies();
    await build();
    ensureUseLite();
    for (const target of targets) await makePackage(target, preRelease);
    const missing = missingForPublishing(ROOT, manifest(), preRelease);
    if (missing.length > 0)
      say(`Before it can be published:\n${missing.map((sentence) => `  - ${sentence}`).join('\n')}`);
  });
