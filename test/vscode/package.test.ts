import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { IS_PART } from '../../scripts/lib/extension-bundle.mjs';
import { GPU_TARGETS } from '../../scripts/lib/package/gpu.mjs';
import type { Sbom } from '../../scripts/lib/package/sbom.mjs';
import { HERE, NODE_VERSION, TARGETS } from '../../scripts/lib/package/targets.mjs';
import { packagePath } from '../../scripts/package.mjs';
import { readZip, type ZipEntry } from './zip';

const MB = 2 ** 20;
/** The extension's folder in the VSIX. */
const HOME = 'extension/';

const TOP = [
  'LICENSE.txt',
  'ThirdPartyNotices.txt',
  'bin',
  'changelog.md',
  'dist',
  'media',
  'package.json',
  'package.nls.json',
  'readme.md',
  'sbom.cdx.json',
];
const DIST = [
  'cli.cjs',
  'data-worker.cjs',
  'demo',
  'demo-images',
  'demo-language',
  'experiment.editor-schema.json',
  'experiment.schema.json',
  'extension.cjs',
  'hash-worker.cjs',
  'hub-packages.cjs',
  'image-worker.cjs',
  'mcp-sdk.cjs',
  'pulse-worker.cjs',
  'schema-validator.cjs',
  'study-worker.cjs',
  'tfjs.cjs',
  'wasm',
  'webview',
];

const LIBRARY: Record<string, string> = {
  linux: 'libonnxruntime.so.1',
  win32: 'onnxruntime.dll',
  darwin: 'libonnxruntime.1.dylib',
};
/** Its libraries without their versions. */
const LIBVIPS: Record<string, string[]> = {
  linux: ['libvips-cpp.so'],
  win32: ['libvips-42.dll', 'libvips-cpp.dll'],
  darwin: ['libvips-cpp.dylib'],
};
/** The first bytes of an executable: ELF, PE, Mach-O. */
const MAGIC: Record<string, number[]> = {
  linux: [0x7f, 0x45, 0x4c, 0x46],
  win32: [0x4d, 0x5a],
  darwin: [0xcf, 0xfa, 0xed, 0xfe],
};

const contents = (target: string) => {
  const entries = readZip(packagePath(target));
  const inside = entries.filter((e) => e.name.startsWith(HOME));
  return { entries, files: inside.map((e) => ({ ...e, name: e.name.slice(HOME.length) })) };
};
const firsts = (files: ZipEntry[], below = '') =>
  [
    ...new Set(
      files.filter((f) => f.name.startsWith(below)).map((f) => f.name.slice(below.length).split('/')[0]),
    ),
  ].sort();
/** The files in dist/, without the parts that extension.cjs loads. */
const distOf = (files: ZipEntry[]) => firsts(files, 'dist/').filter((name) => !IS_PART.test(name));
const names = (files: ZipEntry[], what: RegExp) =>
  files
    .map((f) => f.name)
    .filter((name) => what.test(name))
    .sort();

/** The two that are built for the tier, or with AURORA_ALL_PACKAGES=1 those of `npm run package -- --all`. */
const MADE = process.env.AURORA_ALL_PACKAGES ? Object.keys(TARGETS) : ['linux-x64', 'universal'];
const PLATFORMS = MADE.filter((target) => target !== 'universal');

describe.each(MADE)('the package for %s', (target) => {
  const { entries, files } = contents(target);

  test('has exactly the expected files at the top level', () => expect(firsts(files)).toEqual(TOP));

  test('has no source, test, source map or development file', () => {
    expect(names(files, /\.(map|ts|tsx|mts|vsix|tgz)$|^(src|test|scripts|webview|bench|docs|\.)/)).toEqual(
      [],
    );
  });

  test('contains every bundle, none of them empty', () => {
    for (const name of ['run', 'budget', 'activations', 'errors', 'playground', 'study'].flatMap((p) => [
      `webview/${p}.js`,
      `webview/${p}.css`,
    ]))
      expect(files.find((f) => f.name === `dist/${name}`)?.size, name).toBeGreaterThan(0);
  });

  test('has a manifest without scripts or dependencies to install', () => {
    const manifest = JSON.parse(read(target, `${HOME}package.json`)) as Record<string, unknown>;
    for (const key of ['scripts', 'dependencies', 'devDependencies'])
      expect(manifest).not.toHaveProperty(key);
    expect(manifest).toMatchObject({ publisher: 'aurora-lab', engines: { vscode: '^1.100.0' } });
  });

  test('includes every picture of its README', () => {
    const pictures = [...read(target, `${HOME}readme.md`).matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)];
    expect(pictures.map((p) => p[1]).filter((p) => !p.startsWith('data:image/png;base64,'))).toEqual([]);
  });

  test('lists the third-party software that it contains', () => {
    const text = read(target, `${HOME}ThirdPartyNotices.txt`);
    const carried = [
      'ajv',
      'lit',
      'uplot',
      ...(target === 'universal'
        ? []
        : ['Node.js', 'onnxruntime-node', 'sharp', `@img/sharp-${target}`, 'libvips']),
    ];
    for (const name of carried) expect(text, name).toMatch(new RegExp(`^${name} \\d`, 'mi'));
    const headings = [...text.matchAll(/^-{80}\n(.+)$/gm)].map((m) => m[1]);
    expect(headings).toEqual([...new Set(headings)]);
  });

  test('lists its contents as CycloneDX, each with a notice', () => {
    const { components } = JSON.parse(read(target, `${HOME}sbom.cdx.json`)) as Sbom;
    const text = read(target, `${HOME}ThirdPartyNotices.txt`);
    const names = components.map((c) => c.name);
    expect(names).toEqual(expect.arrayContaining(['ajv', 'lit-html', 'uplot']));
    expect(names.includes('Node.js')).toBe(target !== 'universal');
    // The library's notice is that of libvips itself.
    const noticed = names.filter((name) => !name.startsWith('@img/sharp-'));
    expect(noticed.filter((name) => !text.includes(`\n${name} `))).toEqual([]);
  });

  test('declares its target platform', () => {
    const platform = /TargetPlatform="([^"]+)"/.exec(read(target, 'extension.vsixmanifest'))?.[1];
    expect(platform).toBe(target === 'universal' ? undefined : target);
    expect(entries.length - files.length).toBe(2);
  });
});

describe.each(PLATFORMS)('the package for %s', (target) => {
  const { files } = contents(target);
  const [os, cpu] = target.split('-');
  const node = os === 'win32' ? 'node.exe' : 'node';

  test('contains Node, ONNX Runtime and Dawn for its platform only', () => {
    const gpu = GPU_TARGETS.includes(target) ? ['gpu'] : [];
    expect(distOf(files)).toEqual([...DIST, ...gpu, 'node', 'node_modules'].sort());
    expect(firsts(files, 'dist/node/')).toEqual([node]);
    expect(firsts(files, 'dist/node_modules/')).toEqual([
      '@img',
      'detect-libc',
      'onnxruntime-common',
      'onnxruntime-node',
      'semver',
      'sharp',
      'webgpu',
    ]);
    const runtime = `dist/node_modules/onnxruntime-node/bin/napi-v6/${os}/${cpu}/`;
    const binaries = names(files, /\.(node|so|dll|dylib|exe)(\.|$)/).filter(
      (n) => !n.startsWith('dist/node/'),
    );
    const dawn = `dist/node_modules/webgpu/dist/${os === 'darwin' ? 'darwin-universal' : target}/`;
    const own = [runtime, dawn, 'dist/node_modules/@img/'];
    expect(binaries.filter((name) => !own.some((folder) => name.startsWith(folder)))).toEqual([]);
    expect(binaries).toContain(`${dawn}dawn.node`);
    expect(binaries).toContain(`${runtime}onnxruntime_binding.node`);
    expect(binaries).toContain(`${runtime}${LIBRARY[os]}`);
    // ONNX Runtime loads it only for DirectML, which is not one of our devices.
    expect(names(files, /DirectML/i)).toEqual([]);
  });

  test('contains an executable Node for its platform', () => {
    const program = files.find((f) => f.name === `dist/node/${node}`)!;
    if (os !== 'win32') expect(program.mode & 0o111).toBe(0o111);
    expect(program.bytes().subarray(0, MAGIC[os].length)).toEqual(Buffer.from(MAGIC[os]));
    expect(read(target, `${HOME}ThirdPartyNotices.txt`)).toContain(
      `Node.js ${NODE_VERSION}\n\nNode.js is licensed for use as follows`,
    );
  });

  test('contains sharp and libvips for its platform only, in at most 10 MB', () => {
    const images = files.filter((f) => f.name.startsWith('dist/node_modules/@img/sharp-'));
    const folders = os === 'win32' ? [`sharp-${target}`] : [`sharp-${target}`, `sharp-libvips-${target}`];
    expect(firsts(images, 'dist/node_modules/@img/')).toEqual(folders.sort());
    const binaries = images.filter((f) => /\.(node|so|dll|dylib)(\.|$)/.test(f.name));
    const parts = binaries
      .map((f) =>
        f.name
          .split('/')
          .at(-1)!
          .replace(/[-.]\d+\.\d+\.\d+/, ''),
      )
      .sort();
    expect(parts).toEqual([...LIBVIPS[os], `sharp-${target}.node`]);
    for (const binary of binaries)
      expect(binary.bytes().subarray(0, MAGIC[os].length), binary.name).toEqual(Buffer.from(MAGIC[os]));
    expect(deflateRawSync(Buffer.concat(images.map((f) => f.bytes()))).length).toBeLessThan(10 * MB);
  });

  test('gives the licenses of libvips: the LGPL with the GPL, and where its source is', () => {
    const text = read(target, `${HOME}ThirdPartyNotices.txt`);
    const [entry] = /^libvips \d[\s\S]*?^-{80}$/m.exec(`${text}\n${'-'.repeat(80)}`)!;
    for (const words of [
      'GNU LESSER GENERAL PUBLIC LICENSE\n                       Version 3',
      'GNU GENERAL PUBLIC LICENSE\n                       Version 3',
      'https://github.com/lovell/sharp-libvips',
      `dist/node_modules/@img/sharp-${os === 'win32' ? '' : 'libvips-'}${target}/lib`,
    ])
      expect(entry).toContain(words);
    for (const library of ['cairo', 'libtiff', 'libwebp', 'mozjpeg'])
      expect(entry).toMatch(new RegExp(`^\\| ${library} `, 'm'));
  });

  test.runIf(target === HERE)('reads images with what it contains', () => {
    const folder = mkdtempSync(join(tmpdir(), 'aurora-package-'));
    try {
      for (const f of files.filter((f) =>
        /^dist\/node_modules\/(@img|detect-libc|semver|sharp)\//.test(f.name),
      )) {
        mkdirSync(dirname(join(folder, f.name)), { recursive: true });
        writeFileSync(join(folder, f.name), f.bytes());
      }
      const text = `import('sharp').then(({ default: sharp }) => sharp(process.argv[1]).metadata()).then((m) => console.log(m.width))`;
      const args = ['-e', text, resolve('test/fixtures/images/95-0.jpg')];
      const { stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: join(folder, 'dist'),
        encoding: 'utf8',
      });
      expect([stdout, stderr]).toEqual(['19\n', '']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is at most 120 MB', () => expect(statSync(packagePath(target)).size).toBeLessThanOrEqual(120 * MB));
});

/** A package's files that Install GPU Support runs unmodified. */
const INSTALLERS: Record<string, string[]> = {
  'cuda/node_modules/onnxruntime-node': [
    'script/install-metadata-versions.js',
    'script/install-metadata.js',
    'script/install-utils.js',
    'script/install.js',
  ],
  'tensorflow/node_modules/@tensorflow/tfjs-node-gpu': [
    'scripts/deps-constants.js',
    'scripts/deps-stage.js',
    'scripts/get-addon-name.js',
    'scripts/install.js',
    'scripts/resources.js',
  ],
};

describe.each(PLATFORMS.filter((p) => GPU_TARGETS.includes(p)))(
  'Install GPU Support in the package for %s',
  (target) => {
    const { files } = contents(target);
    const gpu = files.filter((f) => f.name.startsWith('dist/gpu/'));

    test("contains the packages' own install scripts, unchanged", () => {
      for (const [folder, scripts] of Object.entries(INSTALLERS)) {
        const own = folder.split('node_modules/')[1];
        const carried = names(gpu, new RegExp(`^dist/gpu/${folder}/scripts?/`));
        expect(carried).toEqual(scripts.map((s) => `dist/gpu/${folder}/${s}`));
        for (const script of scripts)
          expect(gpu.find((f) => f.name === `dist/gpu/${folder}/${script}`)!.text(), script).toBe(
            readFileSync(join('node_modules', own, script), 'utf8'),
          );
      }
    });

    test('contains only scripts and takes less than a megabyte', () => {
      expect(gpu.map((f) => f.name).filter((name) => !/\.(c?js|json)$/.test(name))).toEqual([]);
      expect(deflateRawSync(Buffer.concat(gpu.map((f) => f.bytes()))).length).toBeLessThan(MB);
    });

    test('lists the third-party software of the installers', () => {
      const text = read(target, `${HOME}ThirdPartyNotices.txt`);
      for (const name of ['@mapbox/node-pre-gyp', '@tensorflow/tfjs-node-gpu', 'global-agent', 'tar'])
        expect(text, name).toMatch(new RegExp(`^${name} \\d`, 'm'));
    });
  },
);

describe('the universal package', () => {
  const { files } = contents('universal');

  test('contains no binary', () => {
    expect(distOf(files)).toEqual(DIST);
    expect(names(files, /\.(node|so|dll|dylib|exe)(\.|$)|dist\/node/)).toEqual([]);
  });

  test('is at most 40 MB', () =>
    expect(statSync(packagePath('universal')).size).toBeLessThanOrEqual(40 * MB));
});

function read(target: string, name: string): string {
  return readZip(packagePath(target))
    .find((e) => e.name === name)!
    .text();
}
