import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { Failure } from '../console.mjs';
import { isDone, ROOT } from '../run.mjs';

/** Runs a command; its peak memory (VmHWM) is what the process itself says when it ends. */
export function aurora(folder, args, cli = join(ROOT, 'dist/cli.cjs')) {
  const { probe, peak } = probeIn(folder);
  const began = performance.now();
  const { status } = spawnSync(process.execPath, ['--require', probe, cli, ...args], { stdio: 'inherit' });
  if (!isDone(status)) throw new Failure(`aurora ${args[0]} ended with ${status}.`);
  return { seconds: (performance.now() - began) / 1000, bytes: peakIn(peak) };
}

/** Runs a command that is asked to stop, as by Ctrl+C, as soon as a condition holds. */
export async function auroraUntil(folder, args, holds) {
  const { probe, peak } = probeIn(folder);
  const began = performance.now();
  const child = spawn(process.execPath, ['--require', probe, join(ROOT, 'dist/cli.cjs'), ...args], {
    stdio: 'inherit',
  });
  let asked = false;
  const timer = setInterval(() => {
    if (!asked && holds()) asked = child.kill('SIGINT');
  }, 100);
  const status = await new Promise((done) => child.once('exit', done));
  clearInterval(timer);
  if (!asked && !isDone(status)) throw new Failure(`aurora ${args[0]} ended with ${status}.`);
  return { seconds: (performance.now() - began) / 1000, bytes: peakIn(peak) };
}

/** In bytes; Linux counts in units of 1,024. */
const peakIn = (file) => 1024 * Math.max(0, ...readFileSync(file, 'utf8').trim().split('\n').map(Number));

function probeIn(folder) {
  const probe = join(folder, 'peak.cjs');
  const peak = join(folder, 'peak.txt');
  writeFileSync(
    probe,
    `process.on('exit', () => { try { require('fs').appendFileSync(${JSON.stringify(peak)}, /VmHWM:\\s*(\\d+)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1] + '\\n') } catch {} });`,
  );
  rmSync(peak, { force: true });
  return { probe, peak };
}

/** Starts a command and ends it with kill -9 as soon as a condition holds. */
export async function killedWhen(args, holds) {
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli.cjs'), ...args], { stdio: 'inherit' });
  const timer = setInterval(() => holds() && child.kill('SIGKILL'), 100);
  const signal = await new Promise((done) => child.once('exit', (_, s) => done(s)));
  clearInterval(timer);
  if (signal !== 'SIGKILL') throw new Failure(`aurora ${args[0]} ended before it could be killed.`);
}

export const runIn = (runs) => {
  const [name] = existsSync(runs) ? readdirSync(runs) : [];
  return name === undefined ? undefined : join(runs, name);
};

export const hasCheckpoint = (run, step) =>
  run !== undefined && existsSync(join(run, 'checkpoints', `step-${String(step).padStart(6, '0')}`));

/** Seconds and loss of each step. */
export function stepsOf(run) {
  const { columns } = JSON.parse(readFileSync(join(run, 'scalars.json'), 'utf8'));
  const bytes = readFileSync(join(run, 'scalars.bin'));
  const at = (row, name) => bytes.readDoubleLE(8 * (row * columns.length + columns.indexOf(name)));
  return Array.from({ length: bytes.length / 8 / columns.length }, (_, row) => ({
    seconds: at(row, 'seconds'),
    loss: at(row, 'loss'),
  }));
}

/** The losses and seconds of all evaluations of a run. */
export const evaluationsOf = (run) =>
  readFileSync(join(run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'evaluation');

export const adapterOf = (run) => readFileSync(join(run, 'adapter/last/adapter_model.safetensors'));
