import { expect, it } from 'vitest';
import type { Place } from '../../../src/engine/place';
import { fastest } from '../../../src/trainer/device/fastest';

const trial = (device: string, time: number | string) => ({
  place: { engine: 'onnxruntime', device } as Place,
  ...(typeof time === 'number' ? { secondsPerStep: time } : { problem: time }),
});

it.each([
  ['the fastest', [trial('cpu', 1), trial('webgpu', 0.5), trial('cuda', 0.1)], 'cuda'],
  ['the processor where it is', [trial('cpu', 1), trial('webgpu', 1.5)], 'cpu'],
  ['the processor at a tie', [trial('webgpu', 1), trial('cpu', 1)], 'cpu'],
  ['the processor where it is at most a tenth slower', [trial('cpu', 1.1), trial('webgpu', 1)], 'cpu'],
  ['no processor that is slower than that', [trial('cpu', 1.11), trial('webgpu', 1)], 'webgpu'],
  ['not what failed', [trial('cpu', 5), trial('webgpu', 'it crashed')], 'cpu'],
  ['what is left where the processor failed', [trial('cpu', 'no memory'), trial('webgpu', 9)], 'webgpu'],
  ['the quicker way of two on the processor', [trial('wasm', 1), trial('cpu', 1.05)], 'wasm'],
])('takes %s', (_, trials, device) => {
  expect(fastest(trials)?.device).toBe(device);
});

it('takes nothing where nothing could be measured', () => {
  expect(fastest([trial('cpu', 'no memory')])).toBeUndefined();
});
