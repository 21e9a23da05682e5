import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { AuroraError } from '../base/errors';
import {
  fits,
  GPU_FOLDER,
  GPU_PART_NAMES,
  GPU_PARTS,
  type GpuInstalled,
  type GpuPart,
  type GpuState,
} from '../protocol/gpu-support';

/** Written last; a part with it is complete. */
export const RECORD = 'installed.json';

/** Location of GPU support without --storage: the user's data folder on each system. */
export function dataFolder(env = process.env, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local'), 'aurora-lab');
  if (platform === 'darwin') return join(homedir(), 'Library/Application Support/aurora-lab');
  return join(env.XDG_DATA_HOME || join(homedir(), '.local/share'), 'aurora-lab');
}

export const gpuFolder = (storage: string = dataFolder()): string => join(storage, GPU_FOLDER);

/** The module folder of an installed part's package. */
export const packageFolder = (folder: string, part: GpuPart): string =>
  join(folder, 'node_modules', GPU_PARTS[part].package);

/**
 * The files that the build includes for installing, made by scripts/lib/package/gpu.mjs.
 *
 * @param dist the folder of the program
 * @throws AuroraError 'device' if this build includes none
 */
export function carried(dist: string, part: GpuPart): { folder: string; version: string } {
  const folder = join(dist, GPU_FOLDER, part);
  const manifest = join(packageFolder(folder, part), 'package.json');
  if (!existsSync(manifest))
    throw new AuroraError(
      'device',
      `This build of AuroRA Lab does not include the install scripts of ${GPU_PARTS[part].package}.`,
      'Install the build of the extension for linux-x64 or win32-x64; in a clone, run `npm run build`.',
    );
  return { folder, version: (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version };
}

let own: { runtime: string; common: string } | undefined;

/**
 * The folders of the program's own ONNX Runtime and of its non-native half. Resolved once: later, the name may resolve
 * to the one in GPU support.
 */
export function ownRuntime(dist: string): { runtime: string; common: string } {
  if (own) return own;
  const runtime = dirname(createRequire(join(dist, 'cli.cjs')).resolve('onnxruntime-node/package.json'));
  const name = 'onnxruntime-common';
  const main = createRequire(join(runtime, 'package.json')).resolve(name);
  return (own = { runtime, common: main.slice(0, main.lastIndexOf(name) + name.length) });
}

export const HERE = `${process.platform}-${process.arch}`;

/** The part installed below `gpu`; undefined if missing or incomplete. */
export function readInstalled(gpu: string, part: GpuPart): GpuInstalled | undefined {
  try {
    return JSON.parse(readFileSync(join(gpu, part, RECORD), 'utf8')) as GpuInstalled;
  } catch {
    return undefined;
  }
}

/** Each part that this build knows, including those for other platforms or not included in this build. */
export function gpuStates(dist: string, gpu: string): GpuState[] {
  return GPU_PART_NAMES.map((part) => {
    const version = fits(part, HERE) ? carriedVersion(dist, part) : undefined;
    const installed = readInstalled(gpu, part);
    return { part, fits: version !== undefined, version: version ?? '', installed };
  });
}

function carriedVersion(dist: string, part: GpuPart): string | undefined {
  try {
    return carried(dist, part).version;
  } catch {
    return undefined;
  }
}
