import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundles, PROGRAMS } from '../bundles.mjs';
import { Failure } from '../console.mjs';
import { makeDemo, makeOtherDemos } from '../demo-bundle.mjs';
import { ROOT } from '../run.mjs';
import { GPU_TARGETS, stageGpu } from './gpu.mjs';
import { bundledPackages, notices } from './notices.mjs';
import { standalone } from './readme.mjs';
import { repositoryPages } from './repository.mjs';
import { stageRuntime } from './runtime.mjs';
import { sbom, shippedPlaces } from './sbom.mjs';
import { SHARP_PACKAGES, sharpBinaries, stageSharp } from './sharp.mjs';
import { nodeProgram, TARGETS } from './targets.mjs';

/** The demo model's converter is only needed to make the demo. */
const SHIPPED = without(PROGRAMS, 'use-lite');
/** Packages that a platform's package has as they are, not in a bundle. */
const COPIED = ['onnxruntime-common', 'onnxruntime-node', 'webgpu', ...SHARP_PACKAGES];
const KEPT = ['media', 'l10n', 'bin', 'package.nls.json', 'LICENSE'];

/**
 * Makes the folder that `target`'s package is built from, with nothing else in it.
 * @param {string} target of TARGETS
 * @param {string} folder absolute; emptied first
 */
export async function stage(target, folder) {
  rmSync(folder, { recursive: true, force: true });
  const dist = join(folder, 'dist');
  mkdirSync(dist, { recursive: true });
  const metafiles = await bundlePackaged(dist);
  for (const name of KEPT)
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const pages = repositoryPages(repositoryManifest());
  for (const page of ['README.md', 'CHANGELOG.md'])
    writeFileSync(join(folder, page), standalone(join(ROOT, page), pages));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  makeDemo(join(dist, 'demo'));
  makeOtherDemos(dist);
  const carried = TARGETS[target] ? [...stageRuntime(target, dist), ...stageSharp(target, dist)] : [];
  if (GPU_TARGETS.includes(target)) metafiles.push(...(await stageGpu(dist)));
  const copied = TARGETS[target] ? COPIED : [];
  const packages = new Set([...bundledPackages(metafiles), ...copied]);
  writeFileSync(join(folder, 'ThirdPartyNotices.txt'), notices([...packages], carried));
  const list = contentsList(target, metafiles);
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(list, null, 2)}\n`);
}

/**
 * The CycloneDX list of what `target`'s package contains.
 * @param {string} target of TARGETS
 * @param {import('esbuild').Metafile[]} metafiles of what was bundled for it
 */
export function contentsList(target, metafiles) {
  const carried = TARGETS[target] ? [...COPIED, ...sharpBinaries(target).map(({ name }) => name)] : [];
  return sbom({
    product: repositoryManifest(),
    places: [...shippedPlaces(metafiles), ...carried.map((name) => `node_modules/${name}`)],
    programs: TARGETS[target] ? [nodeProgram(target)] : [],
  });
}

/** Minified, without source maps, into `dist`; returns esbuild's metafiles. */
export async function bundlePackaged(dist) {
  const esbuild = await import('esbuild');
  const builds = bundles(dist, { packaged: true, programs: SHIPPED }).map((options) =>
    esbuild.build(options),
  );
  const results = await Promise.all(builds).catch(() => {
    throw new Failure('The build failed; the errors are above.');
  });
  return results.map((r) => r.metafile);
}

/** Without fields that only the repository needs: everything is bundled, so there is nothing to install. */
function manifest() {
  const whole = repositoryManifest();
  const kept = without(whole, 'scripts', 'devDependencies', 'dependencies', 'private');
  return { ...kept, engines: { vscode: whole.engines.vscode } };
}

const repositoryManifest = () => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

function without(record, ...keys) {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}
