import { spawnSync } from 'node:child_process';
import { arch, cpus, hostname, platform, totalmem } from 'node:os';
import { dependencies, optionalDependencies, version as ownVersion } from '../../../package.json';
import { runtimeVersion } from '../../engine/onnxruntime/session';
import type { Place } from '../../engine/place';
import { childEnvironment } from '../../files/child-environment';
import type { GitState } from '../../protocol/events';

/**
 * The environment of a run that its results depend on, besides its spec. A resume warns if `exact` parts differ: the
 * bits may, too.
 */
export interface Environment {
  auroraLab: string;
  engine: string;
  device: string;
  /** The engine's own version. */
  runtime: string;
  node: string;
  optimization: string;
  /** For which positions a step computes a language model's logits. */
  logits: 'computed for all positions' | 'computed at labels only';
  threads: number;
  platform: string;
  cpu: string;
  memoryGiB: number;
  host: string;
}

const EXACT: (keyof Environment)[] = [
  'engine',
  'device',
  'runtime',
  'node',
  'optimization',
  'logits',
  'threads',
  'platform',
  'cpu',
];

/** Irrelevant if the engine is another one. */
const OF_ENGINE: (keyof Environment)[] = ['runtime', 'optimization', 'logits'];
/** Keys that do not matter if the device is another one. */
const OF_DEVICE: (keyof Environment)[] = ['optimization'];

/**
 * @param threads  intra-op threads; 0 lets the runtime choose, one per core
 * @param atLabels true if steps compute logits only for the positions with a label
 */
export function environment(threads: number, { engine, device }: Place, atLabels = false): Environment {
  const cores = cpus();
  return {
    auroraLab: ownVersion,
    engine,
    device,
    runtime: engine === 'tfjs' ? tfjsVersion(device) : runtimeVersion(),
    node: process.versions.node,
    optimization: engine === 'tfjs' ? 'none' : device === 'cpu' ? 'products' : 'all',
    logits: atLabels ? 'computed at labels only' : 'computed for all positions',
    threads: threads || cores.length,
    platform: `${platform()}-${arch()}`,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    host: hostname(),
  };
}

/** Includes the version of the native half, if it has its own. */
function tfjsVersion(device: Place['device']): string {
  const core = `tfjs-core ${dependencies['@tensorflow/tfjs-core']}`;
  if (device === 'webgpu') return `${core}, webgpu ${dependencies.webgpu}`;
  if (device === 'tensorflow')
    return `${core}, tfjs-node-gpu ${optionalDependencies['@tensorflow/tfjs-node-gpu']}`;
  return core;
}

/**
 * Changes since a checkpoint that may affect the bits of later steps.
 *
 * @param then as stored in the checkpoint
 */
export function environmentWarnings(then: Environment, now: Environment): string[] {
  const follows = then.engine !== now.engine ? OF_ENGINE : then.device !== now.device ? OF_DEVICE : [];
  return EXACT.filter((key) => then[key] !== now[key])
    .filter((key) => !follows.includes(key))
    .map(
      (key) =>
        `${key} was ${then[key]} and is now ${now[key]}: the resumed run may differ from an uninterrupted one in the last bits.`,
    );
}

/** A repository that takes longer is on a disk that would delay the training. */
const PATIENCE_MS = 10_000;
/** Enough for the names of many filters; changes are only looked for, not read. */
const MOST_OUTPUT = 16 * 1024 * 1024;

/**
 * The commit that is checked out around a folder, compared with the tracked files. Runs nothing that the repository's
 * own configuration names: neither a file system monitor nor filters, hooks or submodules.
 *
 * @returns undefined outside a repository, before its first commit, and if git is missing or refuses
 */
export function gitState(folder: string): GitState | undefined {
  const commit = git(folder, ['rev-parse', '--verify', 'HEAD'])?.trim();
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
  const filters = git(folder, ['config', '--name-only', '--get-regexp', '^filter\\.']) ?? '';
  const unfiltered = filters
    .split('\n')
    .filter((key) => /\.(clean|process|smudge|required)$/.test(key))
    .flatMap((key) => ['-c', key.endsWith('.required') ? `${key}=false` : `${key}=`]);
  const changes = git(folder, [
    ...unfiltered,
    ...['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=all', '--no-renames'],
  ]);
  return changes === undefined ? undefined : { commit, clean: changes === '' };
}

/** The output; undefined if it failed. */
function git(folder: string, args: readonly string[]): string | undefined {
  // Variables of a hook or an alias that started the trainer would point elsewhere.
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const { status, stdout } = spawnSync(
    'git',
    ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.pager=cat', ...args],
    {
      cwd: folder,
      env: childEnvironment(Object.fromEntries(env), { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' }),
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      maxBuffer: MOST_OUTPUT,
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    },
  );
  return status === 0 ? stdout : undefined;
}
