import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { availableMemory } from '../../../../src/training/micro-batch/available';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((f) => rmSync(f, { recursive: true })));

function system(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'aurora-memory-'));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const meminfo = 'MemTotal:       8000 kB\nMemFree:        1000 kB\nMemAvailable:   5000 kB\n';

describe('the available memory', () => {
  it('is the number that Linux reports', () => {
    expect(availableMemory(system({ 'proc/meminfo': meminfo }))).toBe(5000 * 1024);
  });

  it('is unknown without /proc', () => {
    expect(availableMemory(system({}))).toBeUndefined();
  });

  it.skipIf(process.platform !== 'linux')('is a plausible number on this machine', () => {
    expect(availableMemory()).toBeGreaterThan(2 ** 24);
  });

  it('is limited by a cgroup (version 2), with its file cache counted as free', () => {
    const root = system({
      'proc/meminfo': meminfo,
      'proc/self/cgroup': '0::/user.slice/job\n',
      'sys/fs/cgroup/user.slice/job/memory.max': 'max\n',
      'sys/fs/cgroup/user.slice/job/memory.current': '900000\n',
      'sys/fs/cgroup/user.slice/memory.max': '2000000\n',
      'sys/fs/cgroup/user.slice/memory.current': '1500000\n',
      'sys/fs/cgroup/user.slice/memory.stat': 'anon 1\ninactive_file 300000\nactive_file 7\n',
    });
    expect(availableMemory(root)).toBe(800_000);
  });

  it('is limited by a cgroup (version 1)', () => {
    const root = system({
      'proc/meminfo': meminfo,
      'proc/self/cgroup': '5:cpu:/a\n4:memory:/a\n0::/\n',
      'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '1000000\n',
      'sys/fs/cgroup/memory/a/memory.usage_in_bytes': '400000\n',
      'sys/fs/cgroup/memory/a/memory.stat': 'inactive_file 5\ntotal_inactive_file 50000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '700000\n',
    });
    expect(availableMemory(root)).toBe(650_000);
  });

  it("is limited by a container's root cgroup if its path is the host's, and is never negative", () => {
    const root = system({
      'proc/meminfo': meminfo,
      'proc/self/cgroup': '0::/docker/0123\n',
      'sys/fs/cgroup/memory.max': '1000\n',
      'sys/fs/cgroup/memory.current': '4000\n',
    });
    expect(availableMemory(root)).toBe(0);
  });
});
