import { tensorName } from '../../../../src/adapters/stored-tensors';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layerChange, mergeAdapters } from '../../../../src/adapters/merge';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import type { DenseArray } from '../../../../src/cli/commands/reference/case';
import { openEvaluator, openTask } from '../../../../src/engine/open-task';
import { DType } from '../../../../src/graph/dtype';
import { readSafetensors } from '../../../../src/graph/file/safetensors';
import { pytorchPathOf } from '../../../../src/graph/layers/linear';
import { tensorOf, tensorValues } from '../../../../src/graph/values';
import { readAdapterFolder } from '../../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../../src/peft/fit';
import { peftKey } from '../../../../src/peft/keys';
import {
  CONFIG_FILE,
  readPeftAdapter,
  WEIGHTS_FILE,
  writePeftAdapter,
} from '../../../../src/peft/peft-adapter';
import { LABELS } from '../../../../src/tasks/task-graph';
import { AdamW } from '../../../../src/training/optimizer/optimizer';
import { withoutAdapters } from '../../../../src/training/task/adapted-model';
import { scratchFolder } from '../../../scratch';
import { caseFolder, share, startCase, startTask } from './cases';

interface TrainedCase {
  inputs: Record<string, DenseArray>;
  labels: DenseArray;
  trainable: Record<string, DenseArray>;
  gradients: Record<string, DenseArray>;
  logits: DenseArray;
  loss: number;
  mergedDelta: Record<string, DenseArray>;
  mergedLogits: DenseArray;
  adamw: {
    lr: number;
    betas: [number, number];
    eps: number;
    weightDecay: number;
    lossBeforeEachStep: number[];
    finalLoss: number;
  };
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const key = (adapter: LayerAdapter, name: string) =>
  peftKey(pytorchPathOf(adapter.layer), `lora_${name}.weight`);

/** A case with PEFT's own start as A0 and B0, so that its signs are those of the case's A and B. */
async function opened(initialization: 'pissa' | 'olora' | 'corda') {
  const name = `lora-${initialization}`;
  const c = { ...startCase(name), ...(json(`${caseFolder(name)}.json`) as unknown as TrainedCase) };
  const task = await startTask(name, { initialization });
  const parameters = new Map<string, Float32Array>();
  for (const adapter of task.adapters)
    for (const short of ['A', 'B'] as const) {
      const values = (of: Record<string, DenseArray>) => Float32Array.from(of[key(adapter, short)].data);
      parameters.set(tensorName(adapter, short), values(c.trainable));
      parameters.set(tensorName(adapter, `${short}0`), values(c.initial));
    }
  const host = (dtype: number, { dims, data }: DenseArray) => ({
    dtype,
    dims,
    data: tensorValues(tensorOf('', dtype, dims, data)),
  });
  const feeds = {
    ...Object.fromEntries(Object.entries(c.inputs).map(([input, t]) => [input, host(DType.int64, t)])),
    [LABELS]: host(DType.int64, c.labels),
  };
  return { c, task, parameters, feeds, folder: scratchFolder(`split-${initialization}`) };
}

describe.each(['pissa', 'olora', 'corda'] as const)(
  'an adapter that "%s" splits off the weights',
  (start) => {
    it('computes and trains as PEFT does on its changed weights, and exports as PEFT converts', async () => {
      const { c, task, parameters, feeds, folder } = await opened(start);
      const { model, infos, graph } = task;
      const { stepper, trainable } = await openTask(model, infos, graph, join(folder, 'graph'), {});
      expect(trainable.map((t) => t.name).some((name) => name.endsWith('0'))).toBe(false);
      const { logits } = await stepper.evaluate(feeds, parameters);
      expect(share(logits.data as Float32Array, c.logits.data)).toBeLessThan(1e-4);
      const { count } = await stepper.evaluate(feeds, parameters);
      const first = await stepper.step(feeds, parameters, 1 / count);
      expect(first.lossSum / first.count / c.loss).toBeCloseTo(1, 5);
      const most = (of: number[]) => of.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const overall = Math.max(...Object.values(c.gradients).map(({ data }) => most(data)));
      expect(first.gradients.size).toBe(2 * task.adapters.length);
      for (const adapter of task.adapters)
        for (const short of ['A', 'B'] as const) {
          const wanted = c.gradients[key(adapter, short)].data;
          const unit = Math.max(most(wanted), overall / 1000);
          first.gradients
            .get(tensorName(adapter, short))!
            .forEach((v, i) => expect(Math.abs(v - wanted[i]!)).toBeLessThan(1e-4 * unit));
        }
      const { lr, betas, eps, weightDecay, lossBeforeEachStep, finalLoss } = c.adamw;
      const names = trainable.map((t) => t.name);
      const before = new Map([...parameters].map(([name, values]) => [name, values.slice()]));
      const optimizer = new AdamW([{ names, lr, weightDecay }], { betas, epsilon: eps });
      for (const expected of lossBeforeEachStep) {
        const step = await stepper.step(feeds, parameters, 1 / count);
        expect(Math.abs(step.lossSum / step.count - expected)).toBeLessThan(1e-5 * Math.max(1, expected));
        optimizer.step(parameters, step.gradients, 1);
      }
      const after = await stepper.evaluate(feeds, parameters);
      expect(Math.abs(after.lossSum / after.count - finalLoss)).toBeLessThan(1e-5);
      for (const [name, values] of before)
        if (name.endsWith('0')) expect(parameters.get(name)).toEqual(values);
      await stepper.dispose();

      const written = join(folder, 'written');
      mkdirSync(written, { recursive: true });
      writePeftAdapter(written, task, parameters, { labels: [] });
      const converted = join(caseFolder(`lora-${start}`), 'adapter-trained-as-lora');
      const [own, peft] = [written, converted].map((of) => readSafetensors(join(of, WEIGHTS_FILE)).tensors);
      expect([...own.keys()].sort()).toEqual([...peft.keys()].sort());
      for (const [tensor, { dims, data }] of peft) {
        expect(own.get(tensor)!.dims).toEqual(dims);
        expect(share(own.get(tensor)!.data, data)).toBeLessThan(1e-4);
      }
      const [ownConfig, peftConfig] = [written, converted].map((of) => json(join(of, CONFIG_FILE)));
      for (const setting of ['peft_type', 'r', 'lora_alpha', 'init_lora_weights', 'use_rslora'])
        expect([setting, ownConfig[setting]]).toEqual([setting, peftConfig[setting]]);
      expect(readPeftAdapter(written, task.adapters)).toEqual(parameters);
    });

    it('merges into the original weights what PEFT merges into its changed ones', async () => {
      const { c, task, parameters, feeds, folder } = await opened(start);
      for (const adapter of task.adapters) {
        const path = pytorchPathOf(adapter.layer);
        const { weight } = layerChange(adapter, parameters);
        const { data: base } = startCase(`lora-${start}`).changedBase![`${path}.weight`];
        const merged = adapter.layer.weight;
        const original = tensorValues(merged) as Float32Array;
        const { inFeatures, outFeatures, transposed } = adapter.layer;
        const wanted = base.map((v, i) => v + c.mergedDelta[path].data[i]!);
        const found = wanted.map((_, at) => {
          const [o, i] = [Math.floor(at / inFeatures), at % inFeatures];
          return original[transposed ? at : i * outFeatures + o]! + weight![at]!;
        });
        expect(share(found, wanted)).toBeLessThan(1e-5);
      }
      const model = mergeAdapters(task.model, task.adapters, parameters);
      const evaluator = await openEvaluator(
        model,
        task.infos,
        { ...task.graph, adapters: [] },
        join(folder, 'merged'),
        {},
      );
      const { logits } = await evaluator.evaluate(feeds, new Map());
      expect(share(logits.data as Float32Array, c.mergedLogits.data)).toBeLessThan(2e-4);
      await evaluator.dispose();
    });

    it('changes nothing before the first step, exactly', async () => {
      const { task, parameters, feeds, folder } = await opened(start);
      const neutral = withoutAdapters(task.adapters, parameters);
      const options = [task.graph, { ...task.graph, adapters: [] }] as const;
      const [adapted, plain] = await Promise.all(
        options.map(async (graph, i) => {
          const evaluator = await openEvaluator(task.model, task.infos, graph, join(folder, `n${i}`), {});
          const { logits } = await evaluator.evaluate(feeds, graph === task.graph ? neutral : new Map());
          await evaluator.dispose();
          return logits.data;
        }),
      );
      expect(adapted).toEqual(plain);
    });
  },
);

describe.each(['pissa', 'olora'] as const)('an adapter of PEFT with init_lora_weights "%s"', (start) => {
  it('is read onto the original weights', async () => {
    const { c, task, feeds, folder } = await opened(start);
    const from = readAdapterFolder(join(caseFolder(`lora-${start}`), 'adapter'));
    const fitted = fitAdapter(from, task.model.graph, task.layers);
    expect(fitted.spec).toMatchObject({ method: 'lora', initialization: start, rank: 3 });
    const graph = { ...task.graph, adapters: fitted.adapters };
    const evaluator = await openEvaluator(task.model, task.infos, graph, join(folder, 'import'), {});
    const { logits } = await evaluator.evaluate(feeds, fitted.parameters);
    expect(share(logits.data as Float32Array, c.logits.data)).toBeLessThan(1e-4);
    await evaluator.dispose();
  });
});

it('does not read an adapter of PEFT whose start depended on data', async () => {
  const task = await startTask('lora-corda', { initialization: 'corda' });
  const from = readAdapterFolder(join(caseFolder('lora-corda'), 'adapter'));
  expect(() => fitAdapter(from, task.model.graph, task.layers)).toThrow(/init_lora_weights "corda"/);
});
