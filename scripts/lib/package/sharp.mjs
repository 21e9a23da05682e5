import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fetchPackage } from '../npm-package.mjs';
import { ROOT } from '../run.mjs';
import { readTarball } from '../tarball.mjs';

/** The files that only compiling against it needs. */
const UNUSED = /\/include\//;

/** sharp and what it requires, each with the folder of its scripts. */
const SCRIPTS = { sharp: 'dist', '@img/colour': '.', 'detect-libc': 'lib', semver: '.' };
export const SHARP_PACKAGES = Object.keys(SCRIPTS);

/**
 * sharp, which reads images, under `dist/node_modules`: its scripts, and a platform's binaries in packages of their own,
 * as npm has them. Returns the license texts of the binaries.
 */
export function stageSharp(target, dist) {
  const to = join(dist, 'node_modules');
  for (const [name, folder] of Object.entries(SCRIPTS)) copyScripts(name, folder, to);
  return sharpBinaries(target).flatMap((pkg) => {
    const files = readTarball(fetchPackage(pkg));
    for (const [name, bytes] of files) if (!UNUSED.test(name)) write(join(to, pkg.name, name), bytes);
    return noticesOf(pkg, files);
  });
}

/** By VS Code's name of a platform: on Windows, libvips is in sharp's own package. */
export function sharpBinaries(target) {
  const names = [`@img/sharp-${target}`];
  if (!target.startsWith('win32')) names.push(`@img/sharp-libvips-${target}`);
  // npm's lock file has all platforms, with the checksums of this very version.
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return names.map((name) => {
    const { version, integrity } = packages[`node_modules/${name}`];
    return { name, version, integrity, spec: `${name}@${version}` };
  });
}

function copyScripts(name, folder, to) {
  const from = join(ROOT, 'node_modules', name);
  cpSync(join(from, folder), join(to, name, folder), {
    recursive: true,
    filter: (path) => !extname(path) || /\.([cm]?js|json)$/.test(path),
  });
  cpSync(join(from, 'package.json'), join(to, name, 'package.json'));
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** sharp's own license, and what the LGPL asks for beside libvips. */
function noticesOf({ name, version }, files) {
  const text = (file) => files.get(file)?.toString() ?? '';
  const own = text('LICENSE');
  const entries = own ? [{ name, version, text: own }] : [];
  if (!files.has('versions.json')) return entries;
  const { vips } = JSON.parse(text('versions.json'));
  // A heading, then the libraries with their licenses, up to the address for corrections.
  const libraries = /## Licensing\s+([\s\S]*?)\s+Please report/.exec(text('README.md'))?.[1] ?? '';
  return [...entries, { name: 'libvips', version: vips, text: libraries && lgpl(name, version, libraries) }];
}

const lgpl = (
  name,
  version,
  libraries,
) => `libvips and the libraries below are a separate shared library, dist/node_modules/${name}/lib, from the package
${name} ${version} of npm, unmodified. You may replace it by a version of your own that has the same interface.
Its source code, and the scripts that build it, are at https://github.com/lovell/sharp-libvips, which names the archive
of each library, and at https://github.com/libvips/libvips.

${libraries}

${license('LGPL-3.0')}

${license('GPL-3.0')}`;

const license = (name) =>
  readFileSync(join(ROOT, 'scripts/lib/package/licenses', `${name}.txt`), 'utf8').trim();
