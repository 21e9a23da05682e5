import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compareWithPyTorch, PLACES, problemOf } from '../../scripts/lib/gpu/references.mjs';
import { onWebgpu } from '../webgpu';
import { CLI } from './lab';

const FILE = resolve('test/fixtures/reference/more/table.json');

const reference = (device: string, env: Record<string, string> = {}) => {
  const args = [CLI, 'reference', '--device', device, FILE];
  const r = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  return { code: r.status, out: r.stdout, err: r.stderr };
};

describe('aurora reference --device', () => {
  it.runIf(onWebgpu)('prints its own lines on webgpu and nothing from the driver', () => {
    const { code, out } = reference('webgpu');
    expect(code).toBe(0);
    const [line, sum, ...rest] = out.split('\n');
    expect(line).toMatch(/^ok {3}table\.json {2,}loss \d/);
    expect([sum, ...rest]).toEqual(['1 of 1 files agree with PyTorch', '']);
  });

  it.skipIf(process.platform !== 'linux')('stops at the first file if there is no driver', () => {
    const { code, out, err } = reference('webgpu', {
      VK_DRIVER_FILES: '/nowhere/icd.json',
      VK_ICD_FILENAMES: '/nowhere/icd.json',
    });
    expect([code, out]).toEqual([19, '']);
    expect(err).toContain('error: WebGPU found no GPU with a Vulkan driver.');
    expect(err).toContain('vulkaninfo');
  });
});

describe('npm run check:gpu', () => {
  afterEach(() => void vi.unstubAllEnvs());
  const webgpu = PLACES.find(({ engine, device }) => engine === 'onnxruntime' && device === 'webgpu')!;

  it.runIf(onWebgpu)('compares the files that there is time for', async () => {
    const { done, of, problem } = await compareWithPyTorch(webgpu, [FILE], 600);
    expect(done).toMatchObject([{ file: 'table', agrees: true }]);
    expect([of, problem]).toEqual([1, undefined]);
    const late = await compareWithPyTorch(webgpu, [FILE], 0.01);
    expect([late.done, late.of, late.problem]).toEqual([[], 1, undefined]);
  });

  it.skipIf(process.platform !== 'linux')('says why a GPU cannot be used', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere/icd.json');
    vi.stubEnv('VK_ICD_FILENAMES', '/nowhere/icd.json');
    expect(await problemOf(webgpu)).toBe('WebGPU found no GPU with a Vulkan driver.');
  });
});
