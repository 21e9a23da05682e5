import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { requireHalf } from '../../../src/engine/onnxruntime/mixed-precision';

process.env.ORT_DISABLE_TELEMETRY = '1';
// Makes Mesa's software renderer see a CPU without F16C, on which it does not offer float16. Mesa reads this
// when the GPU is first opened.
process.env.GALLIUM_OVERRIDE_CPU_CAPS = 'sse4.1';

const devices = spawnSync('vulkaninfo', ['--summary'], { encoding: 'utf8' }).stdout ?? '';
const names = [...devices.matchAll(/deviceName\s*=\s*(.+)/g)].map(([, name]) => name);
const onlyLavapipe =
  process.arch === 'x64' && names.length > 0 && names.every((name) => name.startsWith('llvmpipe'));

describe('float16', () => {
  it('is available on the CPU', () => requireHalf({}));

  it.skipIf(!onlyLavapipe)('is a clear error with one next step on a GPU without it', async () => {
    await expect(requireHalf({ device: 'webgpu' })).rejects.toMatchObject({
      kind: 'device',
      message: "Mixed precision needs float16, which this machine's webgpu device does not support.",
      hint: 'Set training.precision to "float32".',
    });
  });
});
