import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Bytes that this process can still take before Linux ends it: what the machine has left, and what each control
 * group around the process (a container, a cluster's job) has. Swap does not count.
 *
 * @param root where /proc and /sys lie
 * @returns undefined on systems that do not say it so
 */
export function availableMemory(root = '/'): number | undefined {
  const machine = /^MemAvailable:\s+(\d+) kB/m.exec(read(join(root, 'proc/meminfo')) ?? '');
  if (!machine) return undefined;
  return Math.max(0, Math.min(Number(machine[1]) * 1024, ...groupsLeft(root)));
}

interface Controller {
  folder: string;
  limit: string;
  used: string;
  /** In memory.stat: pages of files, which the kernel drops before it ends anyone. */
  cache: string;
}

const V1: Controller = {
  folder: 'sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  cache: 'total_inactive_file',
};
const V2: Controller = {
  folder: 'sys/fs/cgroup',
  limit: 'memory.max',
  used: 'memory.current',
  cache: 'inactive_file',
};

/** A limit may be set on any group above; in a container the path may be the host's, and only its root be there. */
function groupsLeft(root: string): number[] {
  const left: number[] = [];
  for (const line of (read(join(root, 'proc/self/cgroup')) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const version = controllers === '' ? V2 : controllers.split(',').includes('memory') ? V1 : undefined;
    if (!version) continue;
    for (let group = path; ; group = dirname(group)) {
      const bytes = leftIn(join(root, version.folder, group), version);
      if (bytes !== undefined) left.push(bytes);
      if (group === '/') break;
    }
  }
  return left;
}

function leftIn(folder: string, { limit, used, cache }: Controller): number | undefined {
  const [most, now] = [limit, used].map((name) => Number.parseInt(read(join(folder, name)) ?? '', 10));
  // "max" is no number.
  if (!Number.isFinite(most) || !Number.isFinite(now)) return undefined;
  const stat = read(join(folder, 'memory.stat')) ?? '';
  const dropped = new RegExp(`^${cache} (\\d+)`, 'm').exec(stat);
  return most - now + Number(dropped?.[1] ?? 0);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
