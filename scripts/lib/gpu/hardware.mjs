import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../run.mjs';

/** A driver in trouble can make a program hang. */
const LIMIT_MS = 60_000;

/** The GPU that WebGPU uses, queried in a separate process; undefined if there is none. Needs the build. */
export function lookAtAdapter() {
  const asked = spawnSync(process.execPath, [join(ROOT, 'dist', 'cli.cjs'), 'doctor', '--adapter'], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  const line = asked.stdout?.split('\n').findLast((l) => l.startsWith('{'));
  return line && JSON.parse(line).adapter;
}

/** NVIDIA's cards as text, such as "NVIDIA L4, driver 550.54.15, 23034 MiB"; empty if there is none. */
export const nvidiaCards = () =>
  nvidia('name,driver_version,memory.total').map(
    ([name, driver, mebibytes]) =>
      `${name}, driver ${driver}, ${Number(mebibytes).toLocaleString('en-US')} MiB`,
  );

/** MB that programs use on NVIDIA's cards, all together; undefined if no card says so. */
export function usedMemoryMB() {
  const used = nvidia('memory.used').map(([mebibytes]) => Number(mebibytes));
  return used.length > 0 ? (used.reduce((a, b) => a + b, 0) * 2 ** 20) / 1e6 : undefined;
}

function nvidia(columns) {
  const asked = spawnSync('nvidia-smi', [`--query-gpu=${columns}`, '--format=csv,noheader,nounits'], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  if (asked.status !== 0) return [];
  return asked.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(', '));
}
