import {
  constants,
  type CopySyncOptions,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../base/errors';
import { diskError, writeAtomic } from '../files/atomic';
import { renameFlushed } from '../files/folder';
import {
  fits,
  GPU_PARTS,
  type GpuCheck,
  type GpuEvent,
  type GpuInstalled,
  type GpuPart,
} from '../protocol/gpu-support';
import { claim } from './claim';
import { fetchNatives } from './fetch-packages';
import { check } from './gpu-check';
import { carried, HERE, ownRuntime, packageFolder, readInstalled, RECORD } from './gpu-folders';
import { changedNative, nativeHashes, verifyDownloads } from './hashes';

export interface Install {
  part: GpuPart;
  /** The folder in which the parts are installed. */
  gpu: string;
  /** This program's folder, with the packages to install. */
  dist: string;
  /** This program, to start its children. */
  program: string;
  /** Even if it is installed and intact. */
  force: boolean;
  timeoutSeconds: number;
  tell(event: GpuEvent): void;
}

/**
 * Fetches a part and installs it atomically. Intact natives that cannot be used on this machine stay: the missing
 * pieces are reported and can be added.
 *
 * @throws AuroraError 'device' if the part is not for this platform, cannot be fetched, or is damaged; 'disk' if there
 *   is not enough space
 */
export async function install(options: Install): Promise<void> {
  try {
    await installInto(options);
  } catch (e) {
    const known = diskError(options.gpu, e);
    if (e === known || !(known instanceof AuroraError)) throw known;
    const hint = 'Free some space or make the folder writable, then install again.';
    throw new AuroraError('disk', known.message, hint, { cause: e });
  }
}

async function installInto({ tell, ...options }: Install): Promise<void> {
  const { part, gpu, dist, program } = options;
  tell({ kind: 'step', step: 'checking' });
  requireFit(part);
  const { folder: source, version } = carried(dist, part);
  const { folder: work, release } = claim(gpu, part);
  // Ctrl-C and similar signals end the process through this handler.
  process.once('exit', release);
  try {
    const there = readInstalled(gpu, part);
    const isSame = (await changedNative(join(gpu, part), there?.files)) === undefined;
    if (there?.version === version && !options.force && isSame) {
      const result = await check(program, part, join(gpu, part));
      if (!result.damaged) {
        record(join(gpu, part), version, result, there);
        return tell({ kind: 'result', part, version, already: true, ...result });
      }
    }
    const temporary = join(work, 'temporary');
    mkdirSync(temporary);
    const folder = join(work, part);
    tell({ kind: 'step', step: 'copying' });
    copy(source, folder);
    if (part === 'cuda') copyRuntime(dist, folder, version);
    const watched = join(dist, 'gpu', 'watched.cjs');
    const { timeoutSeconds } = options;
    const downloads = await fetchNatives({ part, folder, temporary, watched, timeoutSeconds, tell });
    requireNatives(part, folder);
    // Before any of it is loaded.
    const { unpinned, keep } = verifyDownloads(gpu, downloads);
    tell({ kind: 'step', step: 'verifying' });
    const result = await check(program, part, folder);
    if (result.damaged) throw new AuroraError('device', result.problem!, result.hint);
    record(folder, version, result, { unpinned, files: await nativeHashes(folder) });
    putInPlace(gpu, part, folder);
    keep();
    tell({
      kind: 'result',
      part,
      version,
      already: false,
      ...result,
      ...(unpinned.length > 0 && { unpinned }),
    });
  } finally {
    process.off('exit', release);
    release();
  }
}

function requireFit(part: GpuPart): void {
  if (fits(part, HERE)) return;
  const { title, platforms } = GPU_PARTS[part];
  throw new AuroraError(
    'device',
    `${title} is only available for ${platforms.join(' and ')}; this is ${HERE}.`,
    'Use the device "webgpu", which needs no installation.',
  );
}

/** Clones the blocks if the file system can. */
const copy = (from: string, to: string, options: CopySyncOptions = {}) =>
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE, ...options });

/** A provider must be beside the library that loads it, so the runtime is included: everything that require() needs. */
function copyRuntime(dist: string, folder: string, version: string): void {
  const modules = join(folder, 'node_modules');
  const { runtime, common } = ownRuntime(dist);
  const platform = join('bin/napi-v6', process.platform, process.arch);
  const code: CopySyncOptions = { filter: (file) => !/\.(map|ts)$/.test(file) };
  copy(join(runtime, 'dist'), join(modules, 'onnxruntime-node/dist'), code);
  // Providers that `npm rebuild` already fetched are fetched again.
  const binaries: CopySyncOptions = { filter: (file) => !basename(file).includes('_providers_') };
  copy(join(runtime, platform), join(modules, 'onnxruntime-node', platform), binaries);
  for (const name of ['package.json', 'dist/cjs'])
    copy(join(common, name), join(modules, 'onnxruntime-common', name), code);
  const own = JSON.parse(readFileSync(join(runtime, 'package.json'), 'utf8')) as { version: string };
  if (own.version !== version) throw new Error(`ONNX Runtime is ${own.version}, its scripts are ${version}`);
}

/** A script can succeed without downloading anything, for example if its connection breaks. */
function requireNatives(part: GpuPart, folder: string): void {
  const root = packageFolder(folder, part);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((f) => basename(f));
  const wanted = {
    cuda: [/^libonnxruntime_providers_shared\.so$/, /^libonnxruntime_providers_cuda\.so$/],
    tensorflow: [/^tfjs_binding\.node$/, /^(libtensorflow\.so\.\d|tensorflow\.dll$)/],
  }[part];
  if (wanted.every((name) => files.some((f) => name.test(f)))) return;
  throw new AuroraError(
    'device',
    `The download of ${GPU_PARTS[part].title} is incomplete.`,
    'Install again. If a mirror is set, check what it serves.',
  );
}

/** Saves the result of a check and the hashes of the install. */
export function record(
  folder: string,
  version: string,
  { usable, problem, hint }: GpuCheck,
  { files, unpinned }: Pick<GpuInstalled, 'files' | 'unpinned'>,
): void {
  const at = new Date().toISOString();
  const installed: GpuInstalled = { version, at, usable, problem, hint, files, unpinned };
  writeAtomic(join(folder, RECORD), `${JSON.stringify(installed, null, 2)}\n`);
}

/** Requires a claim. */
function putInPlace(gpu: string, part: GpuPart, folder: string): void {
  takeAway(gpu, part);
  renameFlushed(folder, join(gpu, part));
}

/**
 * Removes an installed part: out of sight at once, then file by file.
 * @returns true if one existed
 */
export function remove(gpu: string, part: GpuPart): boolean {
  if (!existsSync(join(gpu, part))) return false;
  const { release } = claim(gpu, part);
  try {
    takeAway(gpu, part);
    return true;
  } finally {
    release();
  }
}

function takeAway(gpu: string, part: GpuPart): void {
  const away = join(gpu, `.removed-${part}`);
  rmSync(away, { recursive: true, force: true });
  try {
    if (existsSync(join(gpu, part))) renameSync(join(gpu, part), away);
  } catch (e) {
    // Windows keeps loaded libraries locked.
    if (!['EPERM', 'EBUSY', 'EACCES'].includes((e as NodeJS.ErrnoException).code ?? '')) throw e;
    throw new AuroraError(
      'device',
      `${GPU_PARTS[part].title} is in use.`,
      'Stop the runs that use it, then try again.',
      { cause: e },
    );
  }
  rmSync(away, { recursive: true, force: true });
}
