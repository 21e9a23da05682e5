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
  const all = { ...commands, memory: () => Promise.resolve({ peakMB: peakMemory() }) };
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
