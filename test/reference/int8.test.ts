import { describe, expect, it } from 'vitest';
import { referenceStep, stepDifference } from '../../bench/reference-step';
import { AGREEMENT } from '../../src/engine/onnxruntime/int8/int8-step';
import { leastCosine } from '../../src/engine/onnxruntime/int8/agreement';
import { modelFile } from './files';

process.env.ORT_DISABLE_TELEMETRY = '1';

const CASES = [
  'bert-aurora.json',
  'bert-lora.json',
  'llama-aurora.json',
  'vit-aurora.json',
  ...['t5', 'gpt2', 'gemma', 'albert', 'deberta', 'swin', 'conformer', 'masked-language-model'].map(
    (name) => `more/${name}.json`,
  ),
  ...['dora', 'vera', 'fourierft', 'moslora', 'bitfit'].map((name) => `more/${name}.json`),
];

describe('frozen layers in int8', () => {
  it.each(CASES)('give gradients that agree with float32, and the same bits again: %s', async (name) => {
    const file = modelFile(name);
    const exact = await referenceStep(file.modelPath, file.case, {});
    const rounded = await referenceStep(file.modelPath, file.case, { precision: 'int8' });
    expect(leastCosine(exact.gradients, rounded.gradients)).toBeGreaterThanOrEqual(AGREEMENT);
    expect(stepDifference(exact, rounded).loss).toBeLessThan(0.02);
    // Shows that something was computed in int8, wherever nothing is reported.
    if (rounded.warnings.length === 0) expect(stepDifference(exact, rounded).gradient).toBeGreaterThan(1e-4);
    const again = await referenceStep(file.modelPath, file.case, { precision: 'int8' });
    expect(again.gradients).toEqual(rounded.gradients);
  });

  it('stay in float32 where they do not tolerate it, which is reported', async () => {
    const file = modelFile('more/table.json');
    const { warnings } = await referenceStep(file.modelPath, file.case, { precision: 'int8' });
    expect(warnings).toEqual([expect.stringMatching(/ stays? in float32, /)]);
    const bert = modelFile('bert-aurora.json');
    expect((await referenceStep(bert.modelPath, bert.case, { precision: 'int8' })).warnings).toEqual([]);
  });

  it('work with gradient checkpointing', async () => {
    const file = modelFile('bert-aurora.json');
    const options = { precision: 'int8', gradientCheckpointing: true } as const;
    const kept = await referenceStep(file.modelPath, file.case, { precision: 'int8' });
    expect((await referenceStep(file.modelPath, file.case, options)).gradients).toEqual(kept.gradients);
  });

  it('are refused on other devices than the CPU', async () => {
    const file = modelFile('bert-aurora.json');
    const place = { engine: 'onnxruntime', device: 'webgpu' } as const;
    await expect(
      referenceStep(file.modelPath, file.case, { place, precision: 'int8' }),
    ).rejects.toMatchObject({
      kind: 'device',
      message: 'training.precision "int8" is for the CPU, and this run is on webgpu.',
    });
  });
});
