import { spawn, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure, say } from '../console.mjs';
import { ROOT } from '../run.mjs';
import { median } from './sections.mjs';

/** A python3 that can import torch, or undefined. */
export function findTorch() {
  return ['/usr/bin/python3', 'python3', 'python'].find(
    (python) => spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0,
  );
}

const BLAS = '/usr/lib/x86_64-linux-gnu/libblas.so.3';

/**
 * PyTorch's side at its best. Debian's build uses the system's BLAS, and its threads wait inefficiently by
 * default.
 */
export function torchSide(name, python, args) {
  const isOnGpu = args.includes('cuda');
  if (!isOnGpu && existsSync(BLAS) && !/openblas|blis|mkl/.test(realpathSync(BLAS)))
    say(
      'PyTorch uses the slow reference BLAS here. Install libopenblas0-pthread; otherwise its times are meaningless.',
    );
  // On few cores, two thread pools that spin while waiting starve each other: on two cores, a step took 18 times as
  // long.
  const env = { OMP_WAIT_POLICY: 'passive', ...process.env };
  // OpenBLAS finds the kernels of this processor: one that is set for all programs of a machine may take twice as long.
  for (const name of ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE']) delete env[name];
  return new Contestant(name, python, [join(ROOT, 'bench', 'torch_step.py'), ...args], env);
}

/**
 * The variables with which the extension starts a trainer (`largePages`). PyTorch's steps take up to a third longer
 * with it.
 */
const LARGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/** The arguments with which `startTrainer` starts Node. */
const NODE_ARGUMENTS = ['--max-semi-space-size=2'];

/** A side of the benchmark: a program that answers each command line with one line of JSON. */
export class Contestant {
  /** Milliseconds of each command, by its name; of all its processes, as everything below. */
  times = {};
  cpuTimes = {};
  /** By command, the peak of each process. */
  peaks = {};
  /** The peaks without memory that is counted twice. */
  peaksOnce = {};
  /** Billions of operations per second that it reported, by process. */
  gflops = [];
  /** Every loss it reported, in order. */
  losses = [];
  /** Its description of itself. */
  about = {};

  constructor(name, command, args, env = { ...LARGE_PAGES, ...process.env }) {
    this.name = name;
    this.program = command;
    this.args = command === process.execPath ? [...NODE_ARGUMENTS, ...args] : args;
    this.env = env;
  }

  /** Starts its process; again after `end`, with what it has measured so far. */
  async start() {
    this.child = spawn(this.program, this.args, {
      cwd: ROOT,
      env: this.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // A failed write to a dead program adds nothing to its missing answer.
    this.child.stdin.on('error', () => {});
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.gflops.push([]);
    this.about = await this.answer();
  }

  /** @param counts false during warm-up */
  async measure(command, counts) {
    const { ms, cpuMs, loss, gflops } = await this.ask(command);
    this.losses.push(loss);
    if (!counts) return;
    if (gflops !== undefined) this.gflops.at(-1).push(gflops);
    (this.times[command] ??= []).push(ms);
    (this.cpuTimes[command] ??= []).push(cpuMs);
  }

  /** Records the process's peak memory so far, under the name of its last action. */
  async noteMemory(phase) {
    const { peakMB, againMB = 0 } = await this.ask('memory');
    (this.peaks[phase] ??= []).push(peakMB);
    (this.peaksOnce[phase] ??= []).push(peakMB - againMB);
  }

  /** Megabytes: the median of its processes. */
  peakMB(phase) {
    return median(this.peaks[phase]);
  }

  onceMB(phase) {
    return median(this.peaksOnce[phase]);
  }

  end() {
    this.child?.stdin.end();
  }

  ask(command) {
    this.child.stdin.write(`${command}\n`);
    return this.answer();
  }

  async answer() {
    const { value, done } = await this.lines.next();
    if (done) throw new Failure(`${this.name}'s side of the benchmark stopped; its message is above.`);
    return JSON.parse(value);
  }
}
