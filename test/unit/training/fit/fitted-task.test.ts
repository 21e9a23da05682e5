import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LayerFit, LinearFit } from '../../../../src/adapters/fit/linear-fit';
import { mergeAdapters } from '../../../../src/adapters/merge';
import type { Parameters } from '../../../../src/engine/stepper';
import type { AuroraSpec, LoraSpec } from '../../../../src/experiment/methods';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { fittedTask } from '../../../../src/training/fit/fitted-task';
import { replaceableSigma, withLines } from '../../../../src/training/fit/replaceable-sigma';
import { largestDifference, measureTask, type Measured } from '../../../../src/training/measure';
import { perturbed } from '../../../../src/training/task/initialize';
import { initialParameters, prepareTask, type Task } from '../../../../src/training/task/task';
import { Lab } from '../../../cli/lab';

const lab = new Lab();
afterAll(() => lab.remove());

async function taskOf(adapter: object): Promise<{ task: Task; parameters: Map<string, Float32Array> }> {
  const experiment = {
    model: { path: 'model.onnx', maxLength: 16 },
    task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
    data: { train: 'train.jsonl', validation: 'validation.jsonl' },
    adapter: { targetModules: ['query', 'value'], ...adapter },
    training: { maxSteps: 1, batchSize: 8, seed: 7 },
  };
  lab.write('fitted.aurora.json', JSON.stringify(experiment));
  const task = await prepareTask(loadExperiment(lab.path('fitted.aurora.json')), lab.folder);
  const parameters = perturbed(initialParameters(task), 3);
  // Large enough that adapters matter.
  for (const [name, values] of parameters)
    if (name.endsWith('.B')) values.forEach((v, i) => (values[i] = 20 * v));
  return { task, parameters };
}

/** Numbers that follow from nothing, so that any mistake in their places shows. */
const numbers = (length: number, seed: number) =>
  Float64Array.from({ length }, (_, i) => Math.sin(seed + 3 * i));

const fitOf = (task: Task): LinearFit => ({
  ...{ step: 1, seed: 7, tokens: 10 },
  layers: task.adapters.map(({ layer, spec }, i): LayerFit => {
    const { rank } = spec as AuroraSpec;
    return {
      ...{ path: layer.path, tokens: 10, r2: 0.5, plain: 'origin' },
      M: numbers(rank * rank, i),
      c: numbers(rank, 10 * i),
      plainA: Float32Array.from(numbers(rank * layer.inFeatures, 100 * i)),
    };
  }),
});

let made = 0;
const measure = (task: Task, parameters: Parameters): Promise<Measured> =>
  measureTask(task, parameters, lab.path(`measured-${made++}`));

const SETTINGS = {
  method: 'aurora',
  rank: 2,
  alpha: 3,
  dropout: 0.1,
  rankPattern: { value: 3 },
  alphaPattern: { query: 5 },
};

describe('the task with fitted adapters', () => {
  let task: Task;
  let parameters: Map<string, Float32Array>;
  let fit: LinearFit;
  beforeAll(async () => {
    ({ task, parameters } = await taskOf(SETTINGS));
    fit = fitOf(task);
  });

  it('computes M z + c in place of σ(z) in the layers that are replaced', async () => {
    const paths = task.adapters.map((a) => a.layer.path);
    const gated = replaceableSigma(task);
    for (const layers of [undefined, new Set(paths.slice(1, 3)), new Set<string>()]) {
      const fitted = fittedTask(task, parameters, fit, { biasOf: () => true, layers });
      const lines = await measure(gated, withLines(gated, parameters, fit, layers ?? new Set(paths)));
      const trained = await measure(task, parameters);
      const found = await measure(fitted.task, fitted.parameters);
      expect(largestDifference(found, lines)).toBeLessThan(1e-5);
      if (layers?.size === 0) expect(largestDifference(found, trained)).toBe(0);
      else expect(largestDifference(found, trained)).toBeGreaterThan(1e-3);
    }
  });

  it('is a LoRA that can be merged', async () => {
    const fitted = fittedTask(task, parameters, fit, { biasOf: (l) => l.hasBias });
    const { adapters } = fitted.task;
    expect(adapters.map((a) => a.spec.method)).toEqual(adapters.map(() => 'lora'));
    const { head, graph } = fitted.task;
    const model = mergeAdapters(task.model, adapters, fitted.parameters);
    const merged: Task = { ...fitted.task, model, adapters: [], head, graph: { ...graph, adapters: [] } };
    const found = await measure(merged, fitted.parameters);
    expect(largestDifference(found, await measure(fitted.task, fitted.parameters))).toBeLessThan(1e-5);
  });

  it('has the settings, tensors and values of a LoRA', () => {
    const fitted = fittedTask(task, parameters, fit, { biasOf: (l) => l.path.includes('query') });
    for (const [i, { layer, spec, tensors }] of fitted.task.adapters.entries()) {
      const before = task.adapters[i]!.spec as AuroraSpec;
      const hasBias = layer.path.includes('query');
      expect(spec).toMatchObject({ method: 'lora', loraBias: hasBias, useRslora: false, dropout: 0.1 });
      expect([(spec as LoraSpec).rank, (spec as LoraSpec).alpha]).toEqual([before.rank, before.alpha]);
      expect(tensors.map((t) => t.name)).toEqual(hasBias ? ['A', 'B', 'loraBias'] : ['A', 'B']);
      const value = (name: string) => fitted.parameters.get(`${layer.path}.${name}`);
      expect(value('B')).toEqual(parameters.get(`${layer.path}.B`));
      if (!hasBias) expect(value('A')).toBe(fit.layers[i]!.plainA);
      expect([value('H'), value('W')]).toEqual([undefined, undefined]);
    }
    expect(fitted.task.graph.adapters).toBe(fitted.task.adapters);
    const { adapter } = fitted.task.spec;
    const { rank, alpha, dropout, rankPattern, alphaPattern } = SETTINGS;
    expect(adapter).toMatchObject({
      rank,
      alpha,
      dropout,
      rankPattern,
      alphaPattern,
      method: 'lora',
      loraBias: false,
    });
    expect(Object.keys(adapter)).not.toContain('gridSize');
    const all = fittedTask(task, parameters, fit, { biasOf: () => true });
    expect(all.task.spec.adapter).toMatchObject({ method: 'lora', loraBias: true });
    const some = fittedTask(task, parameters, fit, {
      biasOf: () => true,
      layers: new Set([fit.layers[0]!.path]),
    });
    expect(some.task.spec).toBe(task.spec);
    expect(parameters.has(`${fit.layers[0]!.path}.H`)).toBe(true);
  });
});

it.each(['per-dimension', 'per-pair'])('replaces σ with a spline %s', async (spline) => {
  const { task, parameters } = await taskOf({ ...SETTINGS, spline });
  const fit = fitOf(task);
  const gated = replaceableSigma(task);
  const paths = task.adapters.map((a) => a.layer.path);
  const trained = await measure(task, parameters);
  const kept = await measure(gated, withLines(gated, parameters, fit, new Set()));
  expect(largestDifference(kept, trained)).toBeLessThan(1e-6);
  const fitted = fittedTask(task, parameters, fit, { biasOf: () => true });
  const lines = await measure(gated, withLines(gated, parameters, fit, new Set(paths)));
  expect(largestDifference(await measure(fitted.task, fitted.parameters), lines)).toBeLessThan(1e-5);
  expect(largestDifference(lines, trained)).toBeGreaterThan(1e-3);
});

it('leaves linear adapters exactly as they are', async () => {
  for (const method of ['lora', 'dora', 'moslora', 'vera']) {
    const { task, parameters } = await taskOf({ method });
    const none = { step: 1, seed: 7, tokens: 10, layers: [] };
    const fitted = fittedTask(task, parameters, none, { biasOf: () => true });
    expect(fitted.task).toBe(task);
    expect(fitted.parameters).toEqual(parameters);
  }
});
