import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { MissingError } from '../missing-piece';

/** A system and processor, as Node names them. */
export interface Platform {
  platform: string;
  arch: string;
}

export const THIS_PLATFORM: Platform = { platform: process.platform, arch: process.arch };

export const NODE_NAME = process.platform === 'win32' ? 'node.exe' : 'node';

/** A file of this build that a trainer needs: its source, and its place in the copy. */
export interface RuntimeFile {
  source: string;
  /** Relative to the copy's root. */
  target: string;
  size: number;
  mtimeMs: number;
  executable: boolean;
}

/** The programs in dist/, and the files that they read there. */
const PROGRAMS = [
  'cli.cjs',
  'pulse-worker.cjs',
  'hash-worker.cjs',
  'image-worker.cjs',
  'schema-validator.cjs',
  'experiment.schema.json',
  'tfjs.cjs',
  'hub-packages.cjs',
  'mcp-sdk.cjs',
  'wasm/tfjs-backend-wasm.wasm',
  'wasm/tfjs-backend-wasm-simd.wasm',
];

/**
 * The runtime's packages: under dist/ in a packaged extension, under the root in the repository. MissingError if there
 * are none, or none for this platform.
 */
export async function findRuntime(
  dist: string,
  { platform, arch }: Platform = THIS_PLATFORM,
): Promise<{ modules: string; version: string; binary: string }> {
  for (const modules of [join(dist, 'node_modules'), join(dirname(dist), 'node_modules')]) {
    const root = join(modules, 'onnxruntime-node');
    const text = await readFile(join(root, 'package.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const { version } = JSON.parse(text) as { version: string };
    const binary = join(root, 'bin', 'napi-v6', platform, arch);
    const there = await stat(join(binary, 'onnxruntime_binding.node')).catch(() => undefined);
    if (there) return { modules, version, binary };
  }
  throw new MissingError(
    'runtime',
    `This build of AuroRA Lab does not include ONNX Runtime for ${platform}-${arch}.`,
    'Install the build of the extension for this platform: linux-x64, linux-arm64, win32-x64, win32-arm64 or darwin-arm64.',
  );
}

/** Everything that a trainer loads, for one platform only. */
export async function runtimeFiles(dist: string, platform: Platform = THIS_PLATFORM): Promise<RuntimeFile[]> {
  const { modules, binary } = await findRuntime(dist, platform);
  const packages = join(modules, 'onnxruntime-node');
  const common = join(modules, 'onnxruntime-common');
  const node = join(dist, 'node', NODE_NAME);
  // In the repository dist/node is a link to a Node that updates of the extension do not remove.
  const carried = isThis(platform) && (await lstat(node).catch(() => undefined))?.isFile();
  const own = [...PROGRAMS.map((name) => join(dist, name)), ...(carried ? [node] : [])];
  const theirs = [
    join(packages, 'package.json'),
    join(common, 'package.json'),
    ...(await below(join(packages, 'dist'), isCode)),
    ...(await below(join(common, 'dist', 'cjs'), isCode)),
    ...(await below(binary, () => true)),
    ...(await dawnFiles(modules, platform)),
    ...(await sharpFiles(modules, platform)),
  ];
  return Promise.all([
    ...own.map((f) => described(dist, f)),
    ...theirs.map((f) => described(modules, f, 'node_modules')),
  ]);
}

/** WebGPU for TensorFlow.js; a platform without it trains on its other devices. */
async function dawnFiles(modules: string, { platform, arch }: Platform): Promise<string[]> {
  const root = join(modules, 'webgpu');
  const binary = join(root, 'dist', `${platform}-${platform === 'darwin' ? 'universal' : arch}`);
  const there = await stat(join(binary, 'dawn.node')).catch(() => undefined);
  if (!there) return [];
  return [join(root, 'package.json'), join(root, 'index.js'), ...(await below(binary, () => true))];
}

/** The libraries that read images; a platform without them trains on texts. */
async function sharpFiles(modules: string, { platform, arch }: Platform): Promise<string[]> {
  const here = `${platform}-${arch}`;
  const packages = [
    'sharp',
    'detect-libc',
    'semver',
    '@img/colour',
    `@img/sharp-${here}`,
    `@img/sharp-libvips-${here}`,
  ];
  const files = await Promise.all(
    packages.map((name) => below(join(modules, name), isCodeOrBinary).catch(() => [])),
  );
  return files.flat();
}

export const isThis = ({ platform, arch }: Platform): boolean =>
  platform === process.platform && arch === process.arch;

const isCodeOrBinary = (name: string): boolean => /\.([cm]?js|json|node|dylib|dll|so[.\d]*)$/.test(name);
const isCode = (name: string): boolean => /\.(js|json)$/.test(name);

async function below(folder: string, wanted: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((e) => e.isFile() && wanted(e.name)).map((e) => join(e.parentPath, e.name));
}

async function described(root: string, source: string, under = ''): Promise<RuntimeFile> {
  const { size, mtimeMs, mode } = await stat(source).catch(() => {
    throw new MissingError(
      'program',
      `The extension is incomplete: ${source} is missing.`,
      'Reinstall AuroRA Lab.',
    );
  });
  const target = join(under, relative(root, source)).split(sep).join('/');
  return { source, target, size, mtimeMs, executable: (mode & 0o111) !== 0 };
}
