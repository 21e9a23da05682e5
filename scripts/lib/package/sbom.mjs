import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';

/**
 * The licenses that a package may ship under. Each lets the product be Apache-2.0; the LGPL is that of libvips, a shared
 * library that users can replace.
 */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'LGPL-3.0-or-later',
  'MIT',
  'Python-2.0',
]);

/** The folder of the innermost package that a module belongs to; plugins put a word and a colon before a path. */
const PLACE = /(?:^|[:/])(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//;

/**
 * The packages of which a bundle keeps at least one byte, by their places in the lock file: two versions of one package
 * have two places.
 * @param {import('esbuild').Metafile[]} metafiles
 */
export function shippedPlaces(metafiles) {
  const places = new Set();
  for (const { outputs } of metafiles)
    for (const { inputs } of Object.values(outputs))
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const place = PLACE.exec(path)?.[1];
        if (bytesInOutput > 0 && place) places.add(place);
      }
  return [...places].sort();
}

/**
 * A CycloneDX 1.6 list of what a package contains, from the lock file alone: no network, and the same text each time.
 * https://cyclonedx.org/docs/1.6/json/
 * @param {object} options
 * @param {{ name: string, version: string, license: string }} options.product
 * @param {string[]} options.places keys of the lock file's packages
 * @param {{ name: string, version: string, license: string, integrity: string, package: string }[]} [options.programs]
 * carried from packages that are not in the lock file
 * @param {Record<string, { version: string, license?: string, integrity?: string }>} [options.lock]
 * @throws Failure if a license is not one of those allowed, or a package is not in the lock file
 */
export function sbom({ product, places, programs = [], lock = lockedPackages() }) {
  const parts = [
    ...places.map((place) => {
      const locked = lock[place];
      if (!locked) throw new Failure(`${place} is shipped but is not in package-lock.json.`);
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { ...locked, name, package: name };
    }),
    ...programs,
  ];
  const refused = parts.filter(({ license }) => !isAllowed(license));
  if (refused.length > 0)
    throw new Failure(
      `These may not be shipped under their licenses: ${refused.map((p) => `${p.name} ${p.version} (${p.license ?? 'none'})`).join(', ')}.`,
      'Read the license, then add it to ALLOWED in scripts/lib/package/sbom.mjs or leave the package out.',
    );
  const components = new Map(parts.map(component).map((c) => [c.purl, c]));
  const sorted = [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        name: product.name,
        version: product.version,
        licenses: licenses(product.license),
      },
    },
    components: sorted,
  };
}

const lockedPackages = () => JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;

/** An SPDX expression is allowed if all parts of an AND are, or one of an OR. Without nested parentheses. */
export function isAllowed(license) {
  if (typeof license !== 'string') return false;
  const text = license.replace(/^\((.*)\)$/, '$1');
  return text.split(' OR ').some((choice) => choice.split(' AND ').every((id) => ALLOWED.has(id)));
}

function component({ name, version, license, integrity, package: npm }) {
  const purl = `pkg:npm/${npm.replace(/^@/, '%40')}@${version}`;
  const [, sha512] = /^sha512-(.+)$/.exec(integrity ?? '') ?? [];
  if (!sha512) throw new Failure(`${name} ${version} has no SHA-512 in package-lock.json.`);
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    licenses: licenses(license),
    hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }],
    purl,
  };
}

const licenses = (license) =>
  / /.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
