import { join } from 'node:path';
import { FOLDER } from '../bench/cases.mjs';
import { Contestant } from '../bench/contestant.mjs';
import { median } from '../bench/sections.mjs';
import { usedMemoryMB } from './hardware.mjs';

/** Ways to run a step. Losses are compared with the same way's on the CPU; products of float16 numbers have 11 bits. */
export const WAYS = [
  { way: 'whole', name: 'float32', tolerance: 1e-3 },
  { way: 'mixed', name: 'mixed precision', tolerance: 2e-2 },
  { way: '8-bit', name: 'weights of 8 bits', tolerance: 1e-3 },
  { way: '4-bit', name: 'weights of 4 bits', tolerance: 1e-3 },
  { way: 'checkpointing', name: 'gradient checkpointing', tolerance: 1e-3 },
  { way: 'quarters', name: 'micro-batches, a quarter each', tolerance: 1e-3 },
];
const WARM_UP = 2;
const STEPS = 6;

/**
 * Trains a few steps in each way on a device and on the CPU, one process after the other, so that the memory on the
 * device is this process's.
 *
 * @param {string} path of the benchmark's case
 * @param {number} seconds for all of them together
 */
export async function trainSteps({ engine, device }, path, threads, seconds) {
  const end = performance.now() + seconds * 1000;
  const rows = [];
  for (const { way, name, tolerance } of WAYS) {
    const share = (end - performance.now()) / (WAYS.length - rows.length);
    const here = await measure(`${engine}:${device}`, path, threads, way, share);
    const cpu = here.problem === undefined && (await measure('onnxruntime:cpu', path, threads, way, share));
    rows.push(rowOf({ name, tolerance, here, cpu }));
  }
  return rows;
}

function rowOf({ name, tolerance, here, cpu }) {
  if (here.problem !== undefined) return { name, ...here };
  if (cpu.problem !== undefined) return { name, ...cpu };
  const gap = Math.max(...here.losses.map((loss, i) => Math.abs(loss - cpu.losses[i])));
  const { step, hostMB, gpuMB } = here;
  return { name, gap, tolerance, step, cpuStep: cpu.step, hostMB, gpuMB };
}

/** The way as bench/step.ts takes it: a micro-batch is a number of examples. */
const wayOf = (way, path) => (way === 'quarters' ? `${Number(/-(\d+)x\d+\.json$/.exec(path)[1]) / 4}` : way);

/** Losses, time and memory of a few steps, or why there are none: `failed` unless the device refused them. */
async function measure(place, path, threads, way, ms) {
  const before = usedMemoryMB();
  const args = [join(FOLDER, 'step.cjs'), path, `${threads}`, place, wayOf(way, path)];
  const contestant = new Contestant(`${way} on ${place}`, process.execPath, args);
  let late = false;
  // A driver may hang.
  const timer = setTimeout(
    () => {
      late = true;
      contestant.child.kill('SIGKILL');
    },
    Math.max(ms, 30_000),
  );
  try {
    await contestant.start();
    if (!contestant.about.ready) return { problem: contestant.about.problem };
    for (let i = 0; i < WARM_UP + STEPS; i++) await contestant.measure('step', i >= WARM_UP);
    await contestant.noteMemory('step');
    const after = usedMemoryMB();
    return {
      losses: contestant.losses,
      step: median(contestant.times.step),
      hostMB: contestant.peakMB('step'),
      ...(after !== undefined && before !== undefined && { gpuMB: Math.max(0, after - before) }),
    };
  } catch (e) {
    return { problem: late ? 'It took too long.' : e.message, failed: true };
  } finally {
    clearTimeout(timer);
    contestant.end();
  }
}
