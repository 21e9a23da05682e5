import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from './console.mjs';
import { ROOT } from './run.mjs';

/** A python3 that can import torch, or undefined. */
export function findTorch() {
  return ['/usr/bin/python3', 'python3', 'python'].find(
    (python) => spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0,
  );
}

/** One side of the benchmark: a program that answers each command line with one line of JSON. */
export class Contestant {
  times = { step: [], evaluate: [] };
  cpuTimes = { step: [], evaluate: [] };
  peakMB = {};
  /** Every loss it reported, in order. */
  losses = [];
  /** What it said of itself. */
  about = {};

  constructor(name, command, args) {
    this.name = name;
    this.child = spawn(command, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    // Writing to a program that died says no more than its missing answer.
    this.child.stdin.on('error', () => {});
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async ready() {
    this.about = await this.answer();
  }

  /** @param counts false while warming up */
  async measure(command, counts) {
    const { ms, cpuMs, loss } = await this.ask(command);
    this.losses.push(loss);
    if (!counts) return;
    this.times[command].push(ms);
    this.cpuTimes[command].push(cpuMs);
  }

  /** Notes the process's peak memory so far, under the name of what it did last. */
  async noteMemory(phase) {
    this.peakMB[phase] = (await this.ask('memory')).peakMB;
  }

  end() {
    this.child.stdin.end();
  }

  ask(command) {
    this.child.stdin.write(`${command}\n`);
    return this.answer();
  }

  async answer() {
    const { value, done } = await this.lines.next();
    if (done) throw new Failure(`${this.name}'s side of the benchmark stopped; its own message is above.`);
    return JSON.parse(value);
  }
}
