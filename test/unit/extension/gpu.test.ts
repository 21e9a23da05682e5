import { describe, expect, test } from 'vitest';
import { gpuChoice, GpuProgressText, gpuResult, parseGpuEvent } from '../../../src/extension/words/gpu-text';
import {
  downloadEnvironment,
  hubEnvironment,
  trainerEnvironment,
} from '../../../src/extension/launcher/environment';
import { fits, GPU_PART_NAMES, type GpuState } from '../../../src/protocol/gpu-support';

test('each part is offered on the platforms that its package supports', () => {
  const here = (platform: string) => GPU_PART_NAMES.filter((part) => fits(part, platform));
  expect(here('linux-x64')).toEqual(['cuda', 'tensorflow']);
  expect(here('win32-x64')).toEqual(['tensorflow']);
  for (const platform of ['linux-arm64', 'win32-arm64', 'darwin-arm64']) expect(here(platform)).toEqual([]);
});

describe('a choice of a part', () => {
  const state: GpuState = { part: 'cuda', fits: true, version: '1.30.0' };
  const at = '2026-11-24T22:00:00.000Z';
  test.each([
    [state, '1.30.0'],
    [{ ...state, installed: { version: '1.30.0', at, usable: true } }, '1.30.0, installed and usable'],
    [{ ...state, installed: { version: '1.30.0', at, usable: false } }, '1.30.0, installed but not usable'],
    [
      { ...state, installed: { version: '1.29.0', at, usable: true } },
      '1.29.0 is installed, this version needs 1.30.0',
    ],
  ])('describes its state', (given, description) =>
    expect(gpuChoice(given).description).toBe(`${description} · needs CUDA 12 and cuDNN 9`),
  );

  test('describes purpose and license before the row is truncated', () =>
    expect(gpuChoice(state).detail).toBe(
      'The device "cuda" of ONNX Runtime. MIT license, from Microsoft through NuGet.',
    ));
});

describe('the progress of an installation', () => {
  const MB = 1e6;
  test('advances the bar with the first file, up to 100 in total', () => {
    const text = new GpuProgressText();
    const at = (file: string, received: number, total = 100 * MB) =>
      text.next({ kind: 'progress', file, received, total });
    expect(at('a.zip', 10 * MB)).toEqual({ message: 'a.zip: 10.0 MB of 100 MB', increment: 10 });
    expect(at('a.zip', 35 * MB).increment).toBe(25);
    expect(at('a.zip', 100 * MB).increment).toBe(65);
    expect(at('b.zip', 1 * MB).increment).toBe(0);
  });

  test('shows the received size if the total is unknown', () =>
    expect(new GpuProgressText().next({ kind: 'progress', file: 'a', received: 3 * MB })).toEqual({
      message: 'a: 3.0 MB',
    }));

  test("is read only from the program's lines", () => {
    expect(parseGpuEvent('{"kind":"step","step":"copying"}')).toEqual({ kind: 'step', step: 'copying' });
    expect(parseGpuEvent('TensorFlow says something')).toBeUndefined();
  });
});

test('the result names the device, or what is missing with a hint', () => {
  expect(gpuResult('cuda', { usable: true })).toContain('ready to use as the device "cuda"');
  expect(gpuResult('cuda', { usable: false, problem: 'X is missing.', hint: 'Get X.' })).toBe(
    'X is missing. Get X.',
  );
});

describe('the network settings', () => {
  const settings = { support: 'override', proxy: ' http://p:1 ', noProxy: ['a', 'b'] };

  test("pass the editor's proxy to a program that downloads, before the environment's", () => {
    const from = { https_proxy: '1', HTTPS_PROXY: '2', no_proxy: '3', NODE_EXTRA_CA_CERTS: '4' };
    expect(downloadEnvironment(from, settings)).toEqual({
      HTTPS_PROXY: 'http://p:1',
      HTTP_PROXY: 'http://p:1',
      NO_PROXY: 'a,b',
      NODE_EXTRA_CA_CERTS: '4',
    });
    expect(downloadEnvironment(from, { ...settings, noProxy: [] })).toMatchObject({ no_proxy: '3' });
    expect(downloadEnvironment(from, { ...settings, support: 'off' })).toEqual(from);
    expect(downloadEnvironment(from, { ...settings, proxy: '' })).toEqual(from);
  });

  test('include only the network variables of the environment', () => {
    const given = {
      HTTPS_PROXY: '1',
      no_proxy: '2',
      NODE_EXTRA_CA_CERTS: '3',
      TFJS_NODE_CDN_STORAGE: '4',
      npm_config_tfjs_binding_binary_host_mirror: '5',
      NPM_TOKEN: 'secret',
      NODE_OPTIONS: '--inspect',
      AWS_SECRET_ACCESS_KEY: 'secret',
      HF_TOKEN: 'secret',
    };
    const found = downloadEnvironment(given, { ...settings, proxy: '' });
    expect(Object.values(found).sort()).toEqual(['1', '2', '3', '4', '5']);
  });

  test('of the hub reach only the program that asks it, and signing in precedes the environment', () => {
    const given = {
      HF_ENDPOINT: 'https://mirror',
      HF_TOKEN: 'hf_env',
      HF_HOME: '/hf',
      PATH: '/bin',
      NPM_TOKEN: 'x',
    };
    expect(hubEnvironment(given, undefined)).toEqual({ HF_ENDPOINT: 'https://mirror', HF_TOKEN: 'hf_env' });
    expect(hubEnvironment(given, 'hf_own').HF_TOKEN).toBe('hf_own');
    // Every program has to find the cache.
    expect(trainerEnvironment(given, 'linux')).toEqual({ HF_HOME: '/hf', PATH: '/bin' });
  });
});
