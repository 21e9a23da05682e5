import { cpus, freemem, totalmem } from 'node:os';
import type { ResourceRecord } from '../../runs/resources/resources';
import { GpuSampler } from './gpu-sampler';

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
