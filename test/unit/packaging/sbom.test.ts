import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAllowed, sbom, shippedPlaces } from '../../../scripts/lib/package/sbom.mjs';
import { bundlePackaged, contentsList } from '../../../scripts/lib/package/stage.mjs';
import { TARGETS } from '../../../scripts/lib/package/targets.mjs';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('sbom');
let metafiles: Metafile[];

beforeAll(async () => {
  metafiles = await bundlePackaged(folder);
});

describe.each(Object.keys(TARGETS))('what the package for %s contains', (target) => {
  test('has a version, an allowed license and a checksum for each part, and the same text twice', () => {
    const list = contentsList(target, metafiles);
    expect(list).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
    expect(list.components.length).toBeGreaterThan(20);
    for (const { purl, name, version, hashes } of list.components) {
      expect(purl, name).toMatch(/^pkg:npm\/(%40[^@/]+\/)?[^@/]+@\d/);
      expect(version, name).toMatch(/^\d+\.\d+\.\d+/);
      expect(hashes[0]!.content, name).toMatch(/^[0-9a-f]{128}$/);
    }
    const refs = list.components.map((c) => c['bom-ref']);
    expect(refs).toEqual([...new Set(refs)]);
    expect(JSON.stringify(contentsList(target, metafiles))).toBe(JSON.stringify(list));
  });

  test('has only the native parts of its platform', () => {
    const names = contentsList(target, metafiles).components.map((c) => c.name);
    const binaries = names.filter((name) => name.startsWith('@img/sharp-'));
    expect(binaries.filter((name) => !name.endsWith(`-${target}`))).toEqual([]);
    expect(binaries.length > 0).toBe(target !== 'universal');
    expect(names.includes('onnxruntime-node')).toBe(target !== 'universal');
    expect(names.includes('Node.js')).toBe(target !== 'universal');
  });
});

test('a bundle has the packages of which it keeps bytes, in their own versions', () => {
  const kept = (bytesInOutput: number) => ({ bytesInOutput });
  const inputs = {
    'src/a.ts': kept(9),
    'node_modules/a/index.js': kept(9),
    'node_modules/b/node_modules/@c/d/lib/x.js': kept(9),
    'node_modules/unused/index.js': kept(0),
    'left-out:node_modules/e/index.js': kept(1),
  };
  const outputs = { 'out.js': { inputs, bytes: 0, imports: [], exports: [] } };
  expect(shippedPlaces([{ outputs }])).toEqual([
    'node_modules/a',
    'node_modules/b/node_modules/@c/d',
    'node_modules/e',
  ]);
});

describe('a package whose license is not allowed', () => {
  const product = { name: 'p', version: '1.0.0', license: 'Apache-2.0' };
  const made = (license?: string) =>
    sbom({
      product,
      places: ['node_modules/a'],
      lock: { 'node_modules/a': { version: '1.0.0', license, integrity: 'sha512-AAAA' } },
    });

  test.each(['GPL-3.0-only', 'MIT AND AGPL-3.0-only', 'SEE LICENSE IN LICENSE.txt', 'UNLICENSED', undefined])(
    '%s stops the packaging',
    (license) => expect(() => made(license)).toThrow(/^These may not be shipped/),
  );

  test('has an alternative, or all its parts are allowed', () => {
    expect(['(MIT OR GPL-3.0-only)', '(Apache-2.0 AND BSD-3-Clause)'].map(isAllowed)).toEqual([true, true]);
    expect(made('MIT').components).toHaveLength(1);
  });

  test('nor one that is not in the lock file', () =>
    expect(() => sbom({ product, places: ['node_modules/b'], lock: {} })).toThrow(
      'node_modules/b is shipped but is not in package-lock.json.',
    ));
});

test('installing the dependencies runs no script of theirs', () =>
  expect(readFileSync(join(import.meta.dirname, '../../../.npmrc'), 'utf8')).toMatch(
    /^ignore-scripts=true$/m,
  ));
