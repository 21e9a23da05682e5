import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referenceStep, stepDifference } from '../../bench/reference-step';
import type { StepResult, TaskOptions } from '../../src/engine/stepper';
import { AGREEMENT, leastCosine } from '../../src/engine/onnxruntime/int8-step';
import { loadModel } from '../../src/graph/file/load';
import { saveModel } from '../../src/graph/file/save';
import { floatValues, tensorOf } from '../../src/graph/values';
import { scratchFolder } from '../scratch';
import { modelFile } from './files';

process.env.ORT_DISABLE_TELEMETRY = '1';

const folder = scratchFolder('int8-reference');

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

  it.each(CASES)(
    'give gradients that agree with those of the original weights where they are stored: %s',
    async (name) => {
      const file = modelFile(name);
      const step = (options: TaskOptions, copies?: string) =>
        referenceStep(file.modelPath, file.case, options, copies);
      const exact = await step({});
      const rounded = await step({ precision: 'int8' }, folder);
      const cosine = leastCosine(exact.gradients, rounded.gradients);
      expect(cosine).toBeGreaterThanOrEqual(AGREEMENT);
      expect(stepDifference(exact, rounded).gradient).toBeGreaterThan(1e-4);
    },
  );

  it('stay in float32 where they do not tolerate it, which is reported', async () => {
    const file = modelFile('more/table.json');
    const { warnings } = await referenceStep(file.modelPath, file.case, { precision: 'int8' });
    expect(warnings).toEqual([expect.stringMatching(/ stays? in float32, /)]);
    const bert = modelFile('bert-aurora.json');
    expect((await referenceStep(bert.modelPath, bert.case, { precision: 'int8' })).warnings).toEqual([]);
  });

  it.each([
    ['', undefined],
    [', also beside weights that are stored in int8', folder],
  ])('keep outlier channels of activations in float32%s', async (_, copies) => {
    const file = modelFile('vit-aurora.json');
    const model = loadModel(file.modelPath);
    // Two channels of every norm are much larger than the others, as in many pretrained models.
    for (const { opType, inputs } of model.graph.nodes) {
      if (opType !== 'LayerNormalization') continue;
      const { name, dtype, dims } = model.graph.initializers.get(inputs[1])!;
      const gains = [...floatValues(model.graph.initializers.get(inputs[1])!)];
      gains[5] *= 60;
      gains[17] *= -60;
      model.graph.initializers.set(name, tensorOf(name, dtype, dims, gains));
    }
    const path = join(folder, 'outliers.onnx');
    saveModel(model, path);
    const exact = await referenceStep(path, file.case, {});
    const cosine = (step: StepResult) => leastCosine(exact.gradients, step.gradients);
    const unjudged = { precision: 'int8', judgedBatch: undefined } as const;
    const plain = await referenceStep(path, file.case, unjudged, copies);
    expect(cosine(plain)).toBeLessThan(0.5);
    const judged = await referenceStep(path, file.case, { precision: 'int8' }, copies);
    expect(cosine(judged)).toBeGreaterThanOrEqual(AGREEMENT);
    // With all layers in int8 but for these channels; then some layers stay in float32.
    const [, cosineBefore] = /\(cosine (0\.\d+)\)/.exec(judged.warnings.at(-1)!)!;
    expect(Number(cosineBefore)).toBeGreaterThan(0.8);
    if (copies === undefined) return;
    // Large activations multiply the rounding of a stored weight: these layers read the original one.
    expect(cosine(await referenceStep(path, file.case, {}, copies))).toBeLessThan(AGREEMENT);
    expect(judged.warnings.at(-1)).toMatch(
      / Their original weights take .* of memory beside the rounded ones\.$/,
    );
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
