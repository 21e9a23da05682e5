import { arch, cpus, hostname, platform, totalmem } from 'node:os';
import { dependencies, optionalDependencies, version as ownVersion } from '../../../package.json';
import { runtimeVersion } from '../../engine/onnxruntime/session';
import type { Place } from '../../engine/place';

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
