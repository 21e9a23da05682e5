import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Bytes that this process can still allocate before Linux kills it: the machine's available memory, limited by each
 * control group around the process (a container, a cluster job). Swap does not count.
 *
 * @param root the folder with /proc and /sys
 * @returns undefined on systems without this information
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
  /** In memory.stat: file pages, which the kernel drops before it kills a process. */
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

/** Any parent group may set a limit. In a container, the path may be the host's, of which only the root exists here. */
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
  // "max" is not a number.
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
