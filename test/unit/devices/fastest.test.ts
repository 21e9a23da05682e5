import { expect, it } from 'vitest';
import type { Place } from '../../../src/engine/place';
import { fastest } from '../../../src/training/device/choose';

const trial = (device: string, time: number | string) => ({
  place: { engine: 'onnxruntime', device } as Place,
  ...(typeof time === 'number' ? { secondsPerStep: time } : { problem: time }),
});

it.each([
  ['the fastest', [trial('cpu', 1), trial('webgpu', 0.5), trial('cuda', 0.1)], 'cuda'],
  ['the CPU if it is fastest', [trial('cpu', 1), trial('webgpu', 1.5)], 'cpu'],
  ['the CPU in a tie', [trial('webgpu', 1), trial('cpu', 1)], 'cpu'],
  ['the CPU if it is at most 10% slower', [trial('cpu', 1.1), trial('webgpu', 1)], 'cpu'],
  ['a faster device over a CPU that is slower than that', [trial('cpu', 1.11), trial('webgpu', 1)], 'webgpu'],
  ['no device that failed', [trial('cpu', 5), trial('webgpu', 'it crashed')], 'cpu'],
  ['another device if the CPU failed', [trial('cpu', 'no memory'), trial('webgpu', 9)], 'webgpu'],
  ['the faster of two CPU backends', [trial('wasm', 1), trial('cpu', 1.05)], 'wasm'],
])('chooses %s', (_, trials, device) => {
  expect(fastest(trials)?.device).toBe(device);
});

it('chooses nothing if no device could be measured', () => {
  expect(fastest([trial('cpu', 'no memory')])).toBeUndefined();
});
