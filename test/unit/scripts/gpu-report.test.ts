import { describe, expect, it } from 'vitest';
import { passed, report, type Check } from '../../../scripts/lib/gpu/report.mjs';

const gradients = { kind: 'gradients', error: 4e-5, tolerance: 1e-4 };
const bert = { file: 'bert-aurora', agrees: true, worst: [gradients], failures: [] };
const float32 = {
  name: 'float32',
  gap: 2e-7,
  tolerance: 1e-3,
  step: 12.4,
  cpuStep: 40,
  hostMB: 300,
  gpuMB: 512,
};
const GPU: Check = {
  date: '2026-11-28',
  machine: {
    cpu: 'CPU',
    cores: 8,
    memoryGB: 32,
    system: 'linux x64',
    node: '20.19.0',
    onnxruntime: '1.30.0',
  },
  minutes: 7.2,
  case: '6x384:16x128',
  adapter: { name: 'NVIDIA L4', driver: '550', software: false },
  software: false,
  cards: ['NVIDIA L4, driver 550.54.15, 23,034 MiB'],
  absent: [{ name: 'TensorFlow.js, tensorflow', problem: 'It is not installed.' }],
  references: [{ name: 'ONNX Runtime, webgpu', done: [bert], of: 140, seconds: 61.2 }],
  steps: [{ name: 'ONNX Runtime, webgpu', rows: [float32] }],
  devices: {
    rounds: 10,
    figures: [{ name: 'ONNX Runtime, cpu', on: 'cpu', step: 40, fastest: 38, peakMB: 250 }],
  },
};
const lavapipe = { name: 'llvmpipe', driver: 'Mesa 25', software: true };

/** A check of which one reference file, or one way of a step, came out like this. */
const withFile = (file: Check['references'][number]['done'][number]): Check => ({
  ...GPU,
  references: [{ ...GPU.references[0], done: [bert, file] }],
});
const withRow = (row: Check['steps'][number]['rows'][number]): Check => ({
  ...GPU,
  steps: [{ ...GPU.steps[0], rows: [float32, row] }],
});

describe('the section that check:gpu writes', () => {
  it('names the GPU, and what was compared, timed and left out', () => {
    const text = report(GPU);
    for (const part of [
      'wrote this on 2026-11-28, in 8 minutes.',
      'GPU: NVIDIA L4, driver 550.54.15, 23,034 MiB.',
      'gradients of bert-aurora: 4.0e-5, 40%',
      '6 layers × 384, batch 16 × 128',
      'Not checked: TensorFlow.js, tensorflow (It is not installed.)',
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/\| ONNX Runtime, webgpu \| +1 of 140 \| +1 \|/);
    expect(text).toMatch(/\| float32 \| 2\.0e-7 \| +12 ms \| +40 ms \| +300 MB \| +512 MB \|/);
    expect(text).not.toContain('software renderer');
    expect(passed(GPU)).toBe(true);
  });

  it('says plainly that a software renderer is no GPU', () => {
    const text = report({ ...GPU, adapter: lavapipe, software: true, cards: [] });
    expect(text).toContain('**On a software renderer.** WebGPU ran on llvmpipe (Mesa 25)');
    expect(text).toContain('**The check has not run on a real GPU yet.**');
  });

  it('names the field of a file that differs from PyTorch', () => {
    const failure = { kind: 'loss', field: 'loss', error: null, tolerance: 1e-5, problem: 'computed as NaN' };
    const wrong = withFile({ file: 't5', agrees: false, worst: [failure], failures: [failure] });
    expect(report(wrong)).toContain('- **ONNX Runtime, webgpu is wrong on t5**: loss: computed as NaN');
    expect(passed(wrong)).toBe(false);
  });

  it('a loss that is too far from that of the CPU fails, and so does a crash', () => {
    const far = withRow({ ...float32, name: 'weights of 4 bits', gap: 0.2 });
    expect(report(far)).toContain('**2.0e-1, too much**');
    const crash = withRow({ name: 'mixed precision', problem: 'It took too long.', failed: true });
    expect([far, crash].map(passed)).toEqual([false, false]);
  });

  it('a precision that the device does not support does not', () => {
    const without = withRow({ name: 'mixed precision', problem: 'Mixed precision needs float16.' });
    expect(passed(without)).toBe(true);
    expect(report(without)).toContain('Mixed precision needs float16.');
  });

  it('a process that ended early fails, with its reason', () => {
    const problem = 'Its process ended with SIGSEGV at t5.';
    const early: Check = { ...GPU, references: [{ ...GPU.references[0], problem }] };
    expect(passed(early)).toBe(false);
    expect(report(early)).toContain(problem);
  });
});
