import { describe, expect, it } from 'vitest';
import { referenceStep, stepDifference } from '../../bench/reference-step';
import type { OrtDevice } from '../../src/engine/place';
import { requireHalf } from '../../src/engine/onnxruntime/mixed-precision';
import { modelFile } from './files';

process.env.ORT_DISABLE_TELEMETRY = '1';

/**
 * Float16 has 11 significant bits, so products are accurate to about 5e-4 of their largest terms, and
 * gradients that cancel are less accurate. Llama is the most sensitive here, because its RMS norm divides by
 * small numbers.
 */
const CASES = [
  { name: 'bert-aurora.json', loss: 1e-3, gradient: 3e-3 },
  { name: 'bert-lora.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'llama-aurora.json', loss: 1e-3, gradient: 3e-2 },
  { name: 'vit-aurora.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/t5.json', loss: 1e-3, gradient: 1e-2 },
  { name: 'more/gpt2.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/dora.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/dora-tied.json', loss: 1e-3, gradient: 1e-2 },
  { name: 'more/sinelora.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/vera.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/fourierft.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/full.json', loss: 1e-3, gradient: 5e-3 },
  { name: 'more/bitfit.json', loss: 1e-3, gradient: 5e-3 },
];

const onGpu = await requireHalf({ device: 'webgpu' }).then(
  () => true,
  () => false,
);
/** The graph is the same on every device, so one of each family is enough on a second one. */
const ON_GPU = ['bert-aurora.json', 'llama-aurora.json', 'vit-aurora.json', 'more/t5.json', 'more/dora.json'];

async function comparesMixed(
  { name, loss, gradient }: (typeof CASES)[number],
  device: OrtDevice,
): Promise<void> {
  const file = modelFile(name);
  const full = await referenceStep(file.modelPath, file.case, {});
  const place = { engine: 'onnxruntime', device } as const;
  const mixed = await referenceStep(file.modelPath, file.case, { place, precision: 'mixed' });
  const difference = stepDifference(full, mixed);
  // Shows that something was computed in float16.
  expect(difference.gradient).toBeGreaterThan(1e-5);
  expect(difference.loss).toBeLessThan(loss);
  expect(difference.gradient).toBeLessThan(gradient);
}

describe('mixed precision on the CPU', () => {
  it.each(CASES)('gives the loss and the gradients of $name', (c) => comparesMixed(c, 'cpu'));
});

describe.runIf(onGpu)('mixed precision on WebGPU', () => {
  it.each(CASES.filter(({ name }) => ON_GPU.includes(name)))(
    'gives the loss and the gradients of $name',
    (c) => comparesMixed(c, 'webgpu'),
  );
});
