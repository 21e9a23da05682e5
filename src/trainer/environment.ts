import { arch, cpus, hostname, platform, totalmem } from 'node:os';
import { version as ownVersion } from '../../package.json';
import { runtimeVersion } from '../engine/onnxruntime/session';

/** What a run depended on besides its spec. A resume warns where `exact` parts differ: the bits may, too. */
export interface Environment {
  auroraLab: string;
  runtime: string;
  node: string;
  optimization: string;
  threads: number;
  platform: string;
  cpu: string;
  memoryGiB: number;
  host: string;
}

const EXACT: (keyof Environment)[] = ['runtime', 'node', 'optimization', 'threads', 'platform', 'cpu'];

/** @param threads intra-op threads; 0 is the runtime's choice, one a core */
export function environment(threads: number): Environment {
  const cores = cpus();
  return {
    auroraLab: ownVersion,
    runtime: runtimeVersion(),
    node: process.versions.node,
    optimization: 'all',
    threads: threads || cores.length,
    platform: `${platform()}-${arch()}`,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    host: hostname(),
  };
}

/** What changed since a checkpoint that bears on the bits of what follows. */
export function environmentWarnings(before: Partial<Environment>, now: Environment): string[] {
  return EXACT.filter((key) => before[key] !== undefined && before[key] !== now[key]).map(
    (key) =>
      `${key} was ${before[key]} and is now ${now[key]}: the resumed run may differ from an uninterrupted one in the last bits.`,
  );
}
