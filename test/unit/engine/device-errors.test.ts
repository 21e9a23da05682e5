import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deviceError, providerTrouble } from '../../../src/engine/onnxruntime/device-errors';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';

process.env.ORT_DISABLE_TELEMETRY = '1';

const linux = process.platform === 'linux' && process.arch === 'x64';
const runtime = join(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
  'bin/napi-v6/linux/x64',
);

function model(): Uint8Array {
  const graph: Graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '');
  g.addOutput(g.op('Tanh', [g.addInput('x', DType.float, [2])]));
  const opsets = new Map([['', INTERNAL_OPSET]]);
  return encodeModel({
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets,
    graph,
    metadata: new Map(),
  });
}

describe.runIf(linux)('a missing device', () => {
  it('is reported for WebGPU without a Vulkan driver', async () => {
    // The loader reads these when the first device is opened; this file opens no other before.
    process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = '/nowhere/icd.json';
    await expect(openSession(model(), { device: 'webgpu' })).rejects.toMatchObject({
      kind: 'device',
      message: 'WebGPU found no GPU with a Vulkan driver.',
      hint: expect.stringContaining('vulkaninfo') as string,
    });
  });

  it('is reported for CUDA when its provider does not load', async () => {
    await expect(openSession(model(), { device: 'cuda' })).rejects.toMatchObject({ kind: 'device' });
  });
});

describe.runIf(linux)("the reason why ONNX Runtime's CUDA provider does not load", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'aurora-provider-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const provider = () => join(folder, 'libonnxruntime_providers_cuda.so');

  it('is that it was never installed', () => {
    for (const where of [undefined, folder])
      expect(providerTrouble(where)).toEqual({
        message: "ONNX Runtime's CUDA provider is not installed.",
        hint: 'Run `AuroRA: Install GPU Support` in VS Code, or `aurora gpu install cuda` in a terminal.',
      });
  });

  /** A library of the runtime, changed to require another library in place of the C++ one. */
  function needing(name: string): void {
    const bytes = readFileSync(join(runtime, 'onnxruntime_binding.node'));
    const old = Buffer.from('libstdc++.so.6\0');
    const at = bytes.indexOf(old);
    expect(at).toBeGreaterThan(0);
    Buffer.from(`${name}\0`.padEnd(old.length, '\0')).copy(bytes, at);
    writeFileSync(provider(), bytes);
    copyFileSync(join(runtime, 'libonnxruntime.so.1'), join(folder, 'libonnxruntime.so.1'));
  }

  it('is a missing cuDNN, which is named', () => {
    needing('libcudnn.so.9');
    expect(providerTrouble(folder)).toEqual({
      message: "ONNX Runtime's CUDA provider needs libcudnn.so.9, which could not be found.",
      hint: 'Install CUDA 12 and cuDNN 9, and put their lib folders on LD_LIBRARY_PATH.',
    });
  });

  it('is a missing driver', () => {
    needing('libcuda.so.1');
    // If the driver is installed, this failure cannot occur.
    const trouble = providerTrouble(folder);
    if (trouble.message.includes('needs')) expect(trouble.hint).toBe('Install the NVIDIA driver.');
    else expect(trouble.message).toContain('could not be loaded');
  });

  it('is left open if all of its libraries are installed', () => {
    copyFileSync(join(runtime, 'onnxruntime_binding.node'), provider());
    copyFileSync(join(runtime, 'libonnxruntime.so.1'), join(folder, 'libonnxruntime.so.1'));
    expect(providerTrouble(folder).message).toContain('could not be loaded');
  });
});

describe('device errors of the runtime', () => {
  it.each([
    ['webgpu', 'no available backend found. ERR: [webgpu] backend not found.', 'has no WebGPU for'],
    ['webgpu', 'WebGPU device is lost: driver reset', 'stopped responding'],
    ['cuda', 'CUDA failure 100: no CUDA-capable device is detected ; GPU=0', 'found no NVIDIA GPU'],
    ['cuda', 'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', 'too old'],
    ['cuda', 'no available backend found. ERR: [cuda] backend not found.', 'has no CUDA provider for'],
  ] as const)('are recognized on %s: %s', (device, said, means) => {
    const cause = new Error(said);
    const error = deviceError(device, cause)!;
    expect(error).toMatchObject({ kind: 'device', cause });
    expect(error.message).toContain(means);
    expect(error.hint).toMatch(/\S/);
  });

  it('do not include errors of the model', () => {
    const cause = new Error('Load model failed: Protobuf parsing failed.');
    for (const device of ['cpu', 'webgpu', 'cuda'] as const)
      expect(deviceError(device, cause)).toBeUndefined();
  });
});
