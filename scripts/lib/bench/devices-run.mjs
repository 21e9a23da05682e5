import { join } from 'node:path';
import { cleanUp, FOLDER, prepareCase, takeTurns } from './cases.mjs';
import { Contestant, torchSide } from './contestant.mjs';
import { summarize } from './devices-report.mjs';

const WARM_UP = 2;

/** Compute engine, its name, and the owner of the device. */
export const SIDES = [
  { name: 'ONNX Runtime, cpu', place: 'onnxruntime:cpu', on: 'cpu' },
  { name: 'ONNX Runtime, webgpu', place: 'onnxruntime:webgpu', on: 'gpu' },
  { name: 'ONNX Runtime, cuda', place: 'onnxruntime:cuda', on: 'gpu' },
  { name: 'TensorFlow.js, wasm', place: 'tfjs:wasm', on: 'cpu' },
  { name: 'TensorFlow.js, webgpu', place: 'tfjs:webgpu', on: 'gpu' },
  { name: 'TensorFlow.js, tensorflow', place: 'tfjs:tensorflow', on: 'gpu' },
  { name: 'PyTorch, cpu', torch: 'cpu', on: 'cpu' },
  { name: 'PyTorch, cuda', torch: 'cuda', on: 'gpu' },
];

/**
 * Times a step on each side. All alternate, so that other load on the machine affects all of them equally.
 *
 * @param {string} name of the case, ENCODER:BATCHxLENGTH
 * @param {string | undefined} torch a python3 that has it
 * @param {{ threads: number, rounds: number, seconds: number }} limits `seconds`: of all sides together
 */
export async function runCase(name, torch, { threads, rounds, seconds }, among = SIDES) {
  const path = prepareCase(name);
  const tried = among
    .filter((side) => side.place || torch)
    .map((side) => ({
      ...side,
      contestant: side.place
        ? new Contestant(side.name, process.execPath, [
            join(FOLDER, 'step.cjs'),
            path,
            `${threads}`,
            side.place,
          ])
        : torchSide(side.name, torch, [path, `${threads}`, side.torch]),
    }));
  try {
    const absent = [];
    const sides = [];
    for (const side of tried) {
      // One at a time: preparing uses every core.
      const crashed = await side.contestant.start().catch(() => true);
      const { ready, problem = 'its process crashed' } = side.contestant.about;
      if (ready && !crashed) sides.push(side);
      else absent.push({ name: side.name, problem });
    }
    const counted = await takeTurns(
      sides.map((side) => side.contestant),
      'step',
      { warmUp: WARM_UP, rounds, seconds, twice: true },
    );
    return summarize(name, counted, sides, absent);
  } finally {
    tried.forEach(({ contestant }) => contestant.end());
    cleanUp();
  }
}
