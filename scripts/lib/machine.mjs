import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

/** A benchmark's description of its machine. */
export function machine() {
  const { version } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', 'onnxruntime-node', 'package.json'), 'utf8'),
  );
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    onnxruntime: version,
  };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Share of the processors in use over a period, 0 to 1. */
export async function busy(ms = 2000) {
  const sum = () =>
    cpus().reduce(
      (all, { times }) => {
        const total = Object.values(times).reduce((a, b) => a + b, 0);
        return { total: all.total + total, idle: all.idle + times.idle };
      },
      { total: 0, idle: 0 },
    );
  const before = sum();
  await sleep(ms);
  const after = sum();
  return 1 - (after.idle - before.idle) / Math.max(1, after.total - before.total);
}

/** Waits until the machine is mostly idle, or until the time limit; returns the share then in use. */
export async function quiet(share, limitMs) {
  for (const end = Date.now() + limitMs; ;) {
    const now = await busy();
    if (now <= share || Date.now() >= end) return now;
  }
}

/** CPU time of all threads of a process so far; undefined where /proc does not exist. */
export function cpuSeconds(pid) {
  try {
    const fields = statOf(pid);
    return (fields[11] + fields[12]) / 100;
  } catch {
    return undefined;
  }
}

/** CPU time of this process's children that have ended, and of theirs; undefined where /proc does not exist. */
export function childrenSeconds() {
  try {
    const fields = statOf('self');
    return (fields[13] + fields[14]) / 100;
  } catch {
    return undefined;
  }
}

/** The fields of /proc/PID/stat after the program's name. */
const statOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').map(Number);
