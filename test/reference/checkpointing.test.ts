import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referenceStep, stepDifference } from '../../bench/reference-step';
import { openTask } from '../../src/engine/open-task';
import { probe } from '../../src/engine/onnxruntime/probe';
import { loadModel } from '../../src/graph/file/load';
import { prepareModel } from '../../src/graph/prepare';
import { onWebgpu } from '../webgpu';
import { agrees } from './agrees';
import { fixture, modelFile, modelFiles } from './files';

/** Covers shared weights, encoder and decoder, convolutions and tables. */
describe('gradient checkpointing', () => {
  // On all others this follows: they have the loss and gradients of a step without it, which pytorch.test.ts compares.
  it.each(['bert-aurora.json', 'vit-aurora.json', 'more/t5.json', 'more/table.json'])(
    'agrees with PyTorch on %s over many steps',
    (name) => agrees(name, { gradientCheckpointing: true }),
  );

  it.each([...modelFiles(), '../diffusers/sd-lora.json'])(
    'gives the same loss and gradients as without, on %s',
    async (name) => {
      const file = modelFile(name);
      const without = await referenceStep(file.modelPath, file.case, {});
      const again = await referenceStep(file.modelPath, file.case, { gradientCheckpointing: true });
      // Every AuroRA and LoRA has something to recompute, unless σ applies to a weight and not to an
      // activation.
      const { adapter, hyper } = file.case;
      const some = ['aurora', 'lora'].includes(adapter) && hyper.form !== 'static';
      const nothing = expect.stringContaining('has no effect on this model') as string;
      if (some || again.warnings.length === 0) expect(again.warnings).toEqual([]);
      else expect(again.warnings).toEqual([nothing]);
      const difference = stepDifference(without, again);
      expect(difference.loss).toBeLessThan(1e-6);
      expect(difference.gradient).toBeLessThan(1e-5);
    },
  );

  it.each(['bert-aurora.json', 'more/t5.json'])('works with mixed precision: %s', async (name) => {
    const file = modelFile(name);
    const without = await referenceStep(file.modelPath, file.case, { precision: 'mixed' });
    const again = await referenceStep(file.modelPath, file.case, {
      precision: 'mixed',
      gradientCheckpointing: true,
    });
    expect(stepDifference(without, again).gradient).toBeLessThan(1e-5);
  });

  it.runIf(onWebgpu).each(['bert-lora.json', 'more/t5.json'])('runs on WebGPU: %s', async (name) => {
    const file = modelFile(name);
    const place = { engine: 'onnxruntime', device: 'webgpu' } as const;
    const without = await referenceStep(file.modelPath, file.case, { place });
    const again = await referenceStep(file.modelPath, file.case, { place, gradientCheckpointing: true });
    expect(stepDifference(without, again).gradient).toBeLessThan(1e-5);
  });

  it('warns if there is nothing to recompute', async () => {
    const model = prepareModel(loadModel(fixture('bert.onnx')));
    const { stepper, warnings } = await openTask(
      model,
      await probe(model),
      {
        objective: 'cross-entropy',
        head: { pooling: 'mean', classes: 2, weight: 'head.weight', bias: 'head.bias' },
        output: 'last_hidden_state',
        adapters: [],
      },
      mkdtempSync(join(tmpdir(), 'aurora-checkpointing-')),
      { gradientCheckpointing: true },
    );
    await stepper.dispose();
    expect(warnings).toEqual([expect.stringContaining('Gradient checkpointing has no effect on this model')]);
  });
});
