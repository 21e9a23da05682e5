import { tensorName } from '../../../src/adapters/stored-tensors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownValues, mergeAdapters } from '../../../src/adapters/merge';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { methodOf } from '../../../src/adapters/methods/registry';
import { stackAdapters, type AdapterStack, type WeightedAdapters } from '../../../src/adapters/stack';
import { selectAdapters } from '../../../src/adapters/targets/select';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { defaultAdapter } from '../../../src/recipes/draft';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { largestDifference, measureTask, type Measured } from '../../../src/training/measure';
import { withoutAdapters } from '../../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { initialParameters, prepareTask, type Task } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';

const lab = new Lab();
afterAll(() => lab.remove());
let task: Task;
let head: Map<string, Float32Array>;
let made = 0;

beforeAll(async () => {
  const experiment = {
    model: { path: 'model.onnx', maxLength: 16 },
    task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
    data: { train: 'train.jsonl', validation: 'validation.jsonl' },
    adapter: { method: 'lora', rank: 1, targetModules: ['query'] },
    training: { maxSteps: 1, batchSize: 8, seed: 7 },
  };
  lab.write('stack.aurora.json', JSON.stringify(experiment));
  task = await prepareTask(loadExperiment(lab.path('stack.aurora.json')), lab.folder);
  head = initialParameters(task);
});

/** Adapters on the model, as large as if they had been trained. */
function part(over: Partial<TrainedSpec> & Pick<TrainedSpec, 'method'>, weight: number, seed: number) {
  const spec = { ...defaultAdapter(over.method), targetModules: ['query', 'value'], ...over } as TrainedSpec;
  const { adapters } = selectAdapters(task.model.graph, task.layers, spec);
  const parameters = perturbed(initialAdapters(adapters, seed), seed);
  for (const [name, values] of parameters)
    if (name.endsWith('.B')) values.forEach((v, i) => (values[i] = 20 * v));
  return { adapters, parameters: new Map([...head, ...parameters]), weight };
}

const measure = (
  of: Pick<AdapterStack, 'adapters' | 'parameters'>,
  model = task.model,
): Promise<Measured> => {
  const { adapters } = of;
  const graph = { ...task.graph, adapters };
  return measureTask({ ...task, model, adapters, graph }, of.parameters, lab.path(`measured-${made++}`));
};
const difference = async (a: Promise<Measured>, b: Promise<Measured>): Promise<number> =>
  largestDifference(await a, await b);

/** The model with W + Σ wᵢ sᵢ Bᵢ Aᵢ, as one LoRA of the sum of the ranks, merged. */
function merged(parts: readonly WeightedAdapters[]): Promise<Measured> {
  const paths = [...new Set(parts.flatMap((p) => p.adapters.map((a) => a.layer.path)))];
  const spec = { ...defaultAdapter('lora'), rank: 6, alpha: 6, targetModules: paths } as TrainedSpec;
  const { adapters } = selectAdapters(task.model.graph, task.layers, spec);
  const values = new Map<string, Float32Array>();
  for (const adapter of adapters) {
    const { inFeatures, outFeatures, path } = adapter.layer;
    const [A, B] = [new Float32Array(6 * inFeatures), new Float32Array(6 * outFeatures)];
    let rank = 0;
    for (const { adapters: own, parameters, weight } of parts) {
      const one = own.find((a) => a.layer.path === path);
      if (!one) continue;
      const method = methodOf(one.spec);
      const { A: a, B: b } = method.lowRank!(ownValues(one, parameters), one, layerValues(one.layer));
      const r = b.length / outFeatures;
      A.set(a, rank * inFeatures);
      for (let o = 0; o < outFeatures; o++)
        for (let k = 0; k < r; k++)
          B[o * 6 + rank + k] = weight * (method.scale?.(one.spec) ?? 1) * b[o * r + k]!;
      rank += r;
    }
    values.set(tensorName(adapter, 'A'), A);
    values.set(tensorName(adapter, 'B'), B);
  }
  return measure({ adapters: [], parameters: head }, mergeAdapters(task.model, adapters, values));
}

describe('several adapters on one model', () => {
  it('compute the sum of their weighted changes, as the merged model does', async () => {
    const parts = [
      part({ method: 'lora', rank: 2, alpha: 6 }, 0.7, 1),
      part({ method: 'lora', rank: 3, alpha: 4, targetModules: ['value', 'dense'] }, -0.4, 2),
    ];
    const stack = stackAdapters(parts);
    const alone = { ...stackAdapters([parts[0]!]) };
    expect(await difference(measure(stack), measure(alone))).toBeGreaterThan(1e-3);
    expect(await difference(measure(stack), merged(parts))).toBeLessThan(1e-4);
    // The weights can change later.
    stack.weigh([0.1, 1.5]);
    const others = parts.map((p, i) => ({ ...p, weight: [0.1, 1.5][i]! }));
    expect(await difference(measure(stack), merged(others))).toBeLessThan(1e-4);
  });

  it('add what each does alone, also where it is not linear', async () => {
    const aurora = part({ method: 'aurora', rank: 2, alpha: 4 }, 1, 3);
    const dora = part({ method: 'dora', rank: 2, alpha: 4 }, 1, 4);
    const stack = stackAdapters([aurora, dora]);
    stack.weigh([1, 0]);
    expect(await difference(measure(stack), measure(aurora))).toBeLessThan(1e-5);
    stack.weigh([0, 1]);
    expect(await difference(measure(stack), measure(dora))).toBeLessThan(1e-5);
    stack.weigh([1, 1]);
    expect(await difference(measure(stack), measure(aurora))).toBeGreaterThan(1e-3);
    // One adapter with opposite weights is the base model.
    const opposite = stackAdapters([aurora, { ...aurora, weight: -1 }]);
    const base = { ...opposite, parameters: withoutAdapters(opposite.adapters, opposite.parameters) };
    expect(await difference(measure(opposite), measure(base))).toBeLessThan(1e-5);
    expect(await difference(measure(aurora), measure(base))).toBeGreaterThan(1e-3);
  });

  it('are refused where weights were trained whole', () => {
    expect(() => stackAdapters([part({ method: 'full' }, 1, 5), part({ method: 'lora' }, 1, 6)])).toThrow(
      /replaced the weights of \S+, so that it cannot be combined/,
    );
  });
});
