import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * A benchmark's program: says that it is ready, then answers each input line, the name of a command, with one line of JSON,
 * so that the launcher can alternate between programs. "memory" is a command of every program.
 *
 * @param about what else the launcher is to know before the first command
 * @returns once the input ends
 */
export async function answerCommands(
  commands: Record<string, () => Promise<object>>,
  about: object = {},
): Promise<void> {
  const all = {
    ...commands,
    memory: () => Promise.resolve({ peakMB: peakMemory(), againMB: mappedAgain() }),
  };
  process.stdout.write(`${JSON.stringify({ ready: true, ...about })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const result = await all[line as keyof typeof all]();
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    process.stdout.write(`${JSON.stringify({ ms, cpuMs: (user + system) / 1000, ...result })}\n`);
  }
}

/** Peak memory of the process in MB; systems other than Linux report it only as maxRSS. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;
}

/**
 * Memory in MB that a peak counts twice, because a file is mapped twice: by the sessions of steps and of evaluations. 0
 * on systems other than Linux.
 */
function mappedAgain(): number {
  if (process.platform !== 'linux') return 0;
  const resident = new Map<string, number[]>();
  let part = '';
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const [, offset, inode] = /^[\da-f]+-[\da-f]+ \S+ ([\da-f]+) \S+ (\d+)/.exec(line) ?? [];
    if (inode !== undefined) part = inode === '0' ? '' : `${inode} ${offset}`;
    const kilobytes = /^Rss:\s+(\d+)/.exec(line)?.[1];
    if (kilobytes === undefined || part === '') continue;
    resident.set(part, [...(resident.get(part) ?? []), Number(kilobytes)]);
  }
  const again = [...resident.values()].map((each) => each.reduce((a, b) => a + b) - Math.max(...each));
  return again.reduce((a, b) => a + b, 0) / 1024;
}
