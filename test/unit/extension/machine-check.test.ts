import { describe, expect, it } from 'vitest';
import {
  fastest,
  gpuText,
  machineProgress,
  machineReport,
  machineSummary,
  partsOfMachine,
} from '../../../src/protocol/reports/machine-report';
import { COMMAND } from '../../../src/extension/ids';
import { machineRows } from '../../../src/extension/tree/machine-rows';
import type { MachineCheck } from '../../../src/protocol/doctor';
import { describeAdapter } from '../../../src/engine/webgpu-adapter';
import { parseNvidia } from '../../../src/checks/doctor/doctor';

const check: MachineCheck = {
  at: 0,
  step: '4 layers',
  facts: {
    platform: 'linux-x64',
    cpu: 'A Processor',
    cores: 2,
    totalMemory: 24e9,
    freeMemory: 20e9,
    gpus: [{ name: 'llvmpipe', driver: 'Mesa 25', software: true, source: 'webgpu', float16: true }],
    missing: [{ what: 'There is no graphics card.', hint: 'Train on the processor.' }],
  },
  places: [
    { engine: 'onnxruntime', device: 'webgpu', gflops: 5.34, size: 256, stepsPerSecond: 0.7, seconds: 10 },
    { engine: 'onnxruntime', device: 'cpu', gflops: 118, size: 512, stepsPerSecond: 11.8, seconds: 10 },
    { engine: 'onnxruntime', device: 'cuda', problem: 'The provider is missing.', hint: 'Install it.' },
  ],
};
const report = { totalMemory: 24e9, freeMemory: 20e9, cores: 2, problems: [] };

describe('the check of this machine', () => {
  it('names the fastest device, and what is missing with a hint', () => {
    expect(machineSummary(check)).toBe('Fastest device: ONNX Runtime on cpu, 11.8 steps/s.');
    const { parts } = machineReport(check);
    const rows = parts.flatMap((part) => (typeof part === 'object' && 'rows' in part ? part.rows : []));
    expect(rows).toContainEqual(['ONNX Runtime on cpu', '11.8', '118', '512 × 512']);
    expect(rows).toContainEqual(['GPU', 'llvmpipe (software renderer · Mesa 25 · float16)']);
    expect(parts.at(-1)).toEqual({
      list: [
        'There is no graphics card. Train on the processor.',
        'ONNX Runtime on cuda: The provider is missing. Install it.',
      ],
    });
  });

  it('reports what it measures, and each result as soon as there is one', () => {
    const place = { engine: 'onnxruntime', device: 'cpu' };
    expect(machineProgress({ kind: 'checking', ...place, number: 1, of: 3 })).toBe(
      'Measuring ONNX Runtime on cpu (1 of 3)…',
    );
    expect(machineProgress({ kind: 'place', ...check.places[1] })).toBe('ONNX Runtime on cpu: 11.8 steps/s');
    expect(machineProgress({ kind: 'place', ...check.places[2] })).toBe(
      'ONNX Runtime on cuda: not available',
    );
    expect(partsOfMachine({ kind: 'place', ...check.places[1] })).toEqual([]);
    expect(partsOfMachine({ kind: 'system', ...check.facts })[0]).toEqual({ heading: 'This machine' });
  });

  it('reports that nothing can train', () => {
    const none = { ...check, places: check.places.slice(2) };
    expect(fastest(none)).toBeUndefined();
    expect(machineSummary(none)).toContain('No device on this machine can train');
    expect(machineReport(none).parts).toContain('Nothing could be measured.');
  });

  it('is shown in the Machine view, the fastest device first', () => {
    const rows = machineRows(report, '1.0.0', { check, now: 60_000, locale: 'en' });
    const places = rows.filter((r) => r.id.startsWith('place:')).map((r) => [r.label, r.description]);
    expect(places).toEqual([
      ['cpu', '11.8 steps/s, fastest · ONNX Runtime'],
      ['webgpu', '0.7 steps/s · ONNX Runtime'],
      ['cuda', 'not available · ONNX Runtime'],
    ]);
    expect(rows.find((r) => r.id.endsWith(':cuda'))).toMatchObject({
      tooltip: 'ONNX Runtime on cuda: The provider is missing. Install it.',
      spoken: 'ONNX Runtime on cuda: not available',
    });
    expect(rows.find((r) => r.id.endsWith(':cpu'))?.tooltip).toContain('118 GFLOP/s');
    expect(rows.some((r) => r.command !== undefined)).toBe(false);
  });

  it('is offered in the Machine view if it has not run yet', () => {
    const row = machineRows(report, '1.0.0').find((r) => r.command === COMMAND.checkMachine);
    expect(row?.description).toBe('not measured yet');
  });
});

describe('GPUs', () => {
  it("are read from nvidia-smi's output", () => {
    expect(parseNvidia('NVIDIA H100 80GB HBM3, 550.54.15, 81559\n')).toEqual([
      {
        name: 'NVIDIA H100 80GB HBM3',
        driver: 'NVIDIA 550.54.15',
        memory: 81559 * 2 ** 20,
        software: false,
        source: 'nvidia-smi',
      },
    ]);
    expect(parseNvidia('No devices were found\n')).toEqual([]);
  });

  it("are distinguished from software renderers by Dawn's description", () => {
    // As reported by Dawn 0.6.2 on Mesa 25.
    const lavapipe = describeAdapter({
      info: {
        vendor: 'mesa',
        architecture: 'software',
        device: 'llvmpipe-llvm-19-1-7-256-bits-',
        description: 'llvmpipe: Mesa 25.0.7-2+deb13u1 (LLVM 19.1.7) 0.0.1',
        isFallbackAdapter: true,
      },
      features: new Set(['shader-f16']),
    });
    expect(gpuText(lavapipe)).toBe('software renderer · Mesa 25.0.7-2+deb13u1 (LLVM 19.1.7) 0.0.1 · float16');
    expect(lavapipe.name).toBe('llvmpipe');
  });
});
