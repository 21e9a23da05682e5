import { describe, expect, it } from 'vitest';
import { candidates, deviceFacts, type DeviceFacts } from '../../../src/engine/devices';
import { ENGINES, type EngineName } from '../../../src/engine/place';

const BARE: DeviceFacts = {
  platform: 'linux',
  arch: 'x64',
  nvidia: false,
  cudaProvider: false,
  tensorflow: false,
};

const of = (engine: EngineName, facts: Partial<DeviceFacts>) =>
  candidates(engine, { ...BARE, ...facts }).map((c) => [c.place.device, c.problem]);
const tried = (engine: EngineName, facts: Partial<DeviceFacts>) =>
  of(engine, facts)
    .filter(([, problem]) => problem === undefined)
    .map(([device]) => device);

describe('the candidates of auto for ONNX Runtime', () => {
  it.each<[string, Partial<DeviceFacts>, string[]]>([
    ['no graphics card', {}, ['cpu']],
    ['a render node', { gpuFile: '/dev/dri/renderD128' }, ['cpu', 'webgpu']],
    ['NVIDIA without the provider', { gpuFile: '/dev/nvidia0', nvidia: true }, ['cpu', 'webgpu']],
    [
      'NVIDIA with the provider',
      { gpuFile: '/dev/nvidia0', nvidia: true, cudaProvider: true },
      ['cpu', 'webgpu', 'cuda'],
    ],
    ['the provider but no card', { cudaProvider: true }, ['cpu']],
    ['WSL with the provider', { gpuFile: '/dev/dxg', cudaProvider: true }, ['cpu', 'webgpu', 'cuda']],
    ['Linux on ARM', { arch: 'arm64', gpuFile: '/dev/dri/renderD128' }, ['cpu']],
    ['a Mac with Apple silicon', { platform: 'darwin', arch: 'arm64' }, ['cpu', 'webgpu']],
    ['Windows', { platform: 'win32' }, ['cpu', 'webgpu']],
    ['Windows on ARM', { platform: 'win32', arch: 'arm64' }, ['cpu', 'webgpu']],
  ])('on a machine with %s', (_, facts, devices) => {
    expect(tried('onnxruntime', facts)).toEqual(devices);
  });

  it('include the reason why each other device is left out', () => {
    expect(of('onnxruntime', {})).toEqual([
      ['cpu', undefined],
      ['webgpu', expect.stringMatching(/^no graphics card/)],
      ['cuda', expect.stringMatching(/^no NVIDIA card/)],
    ]);
    expect(of('onnxruntime', { nvidia: true, gpuFile: '/dev/nvidia0' })[2][1]).toMatch(/not installed/);
    expect(of('onnxruntime', { platform: 'win32' })[2][1]).toMatch(/Linux on x64/);
  });
});

describe('the candidates of auto for TensorFlow.js', () => {
  it('are the CPU, a GPU, and TensorFlow if its library is installed', () => {
    expect(tried('tfjs', {})).toEqual(['wasm', 'cpu']);
    expect(tried('tfjs', { gpuFile: '/dev/nvidia0' })).toEqual(['wasm', 'cpu', 'webgpu']);
    expect(tried('tfjs', { platform: 'win32', tensorflow: true })).toEqual([
      'wasm',
      'cpu',
      'webgpu',
      'tensorflow',
    ]);
  });
});

it.each(Object.entries(ENGINES))('auto knows every device of %s', (engine, devices) => {
  const known = of(engine as EngineName, {}).map(([device]) => device);
  expect(known.sort()).toEqual([...devices].sort());
});

it("reads this machine's facts without loading a native library", () => {
  const facts = deviceFacts();
  expect([facts.platform, facts.arch]).toEqual([process.platform, process.arch]);
  if (process.platform !== 'linux') expect(facts.gpuFile).toBeUndefined();
  const { sharedObjects } = process.report!.getReport() as { sharedObjects: string[] };
  expect(sharedObjects.filter((file) => /onnxruntime|tfjs|dawn/.test(file))).toEqual([]);
});
