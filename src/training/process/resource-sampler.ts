import { execFile } from 'node:child_process';
import { cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { childEnvironment } from '../../files/child-environment';
import type { ResourceRecord } from '../../runs/resources/resources';

/** Between two samples. */
export const SAMPLE_MS = 1000;

interface Clocks {
  /** Milliseconds. */
  at: number;
  /** Milliseconds of a processor that the trainer has used. */
  own: number;
  /** Milliseconds of all processors, and those in which they were busy. */
  all: number;
  busy: number;
}

/** The resources that the trainer and the machine use, measured between two calls. */
export class ResourceSampler {
  private before = clocks();
  private readonly gpu = new GpuSampler();

  sample(step: number): ResourceRecord {
    const now = clocks();
    const { before } = this;
    this.before = now;
    this.gpu.poll();
    return {
      time: Date.now(),
      step,
      processCpu: share(now.own - before.own, (now.at - before.at) * cpus().length),
      machineCpu: share(now.busy - before.busy, now.all - before.all),
      machineMemory: totalmem() - freemem(),
      gpu: this.gpu.use,
      gpuMemory: this.gpu.memory,
    };
  }
}

function clocks(): Clocks {
  const { user, system } = process.cpuUsage();
  let [all, idle] = [0, 0];
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return { at: performance.now(), own: (user + system) / 1000, all, busy: all - idle };
}

/** Two clocks never agree exactly: at most everything. */
const share = (part: number, whole: number): number =>
  whole > 0 ? Math.min(1, Math.max(0, part / whole)) : NaN;

/** A driver in trouble can make its own tool hang. */
const LIMIT_MS = 10_000;
/** The tool may run this share of the time, on one processor: on some machines it takes half a second. */
const DUTY = 0.05;

/**
 * The use of an NVIDIA GPU, by the driver's own tool: a new process for each look, one at a time, which ends after it.
 * On a machine without the tool, there is one attempt.
 */
class GpuSampler {
  /** NaN until it is known, or if there is none. */
  use = NaN;
  /** Bytes in use, by all programs. */
  memory = NaN;
  private next = 0;

  /** Starts to look, unless it is too early. */
  poll(): void {
    const began = performance.now();
    if (began < this.next) return;
    this.next = Infinity;
    const query = [
      '--query-gpu=utilization.gpu,memory.used',
      '--format=csv,noheader,nounits',
      '-i',
      gpuOf(process.env),
    ];
    execFile(
      'nvidia-smi',
      query,
      // Windows searches the working folder for programs first, and that folder may be untrusted.
      { cwd: dirname(process.execPath), timeout: LIMIT_MS, windowsHide: true, env: childEnvironment() },
      (error, stdout) => {
        const found = error ? undefined : parseUse(stdout);
        [this.use, this.memory] = [found?.use ?? NaN, found?.memory ?? NaN];
        const took = performance.now() - began;
        if (found) this.next = began + Math.max(0, took / DUTY);
      },
    );
  }
}

/** The first one that programs may see, else the machine's first. */
export const gpuOf = ({ CUDA_VISIBLE_DEVICES }: NodeJS.ProcessEnv): string =>
  /^(\d+|GPU-[\w-]+)/.exec(CUDA_VISIBLE_DEVICES?.trim() ?? '')?.[0] ?? '0';

/** A line such as `83, 40536`: percent and MiB; `[N/A]` for values that a GPU does not report. */
export function parseUse(text: string): { use: number; memory: number } | undefined {
  const cells = text.trim().split('\n')[0].split(', ');
  if (cells.length !== 2) return undefined;
  const [use, memory] = cells.map(Number);
  return Number.isNaN(use) && Number.isNaN(memory) ? undefined : { use: use / 100, memory: memory * 2 ** 20 };
}
