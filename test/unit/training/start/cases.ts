import { tensorName } from '../../../../src/adapters/stored-tensors';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { layerValues } from '../../../../src/adapters/methods/layer-values';
import { adapterScale } from '../../../../src/adapters/methods/registry';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import { selectAdapters } from '../../../../src/adapters/targets/select';
import { modelSource } from '../../../../src/architectures/model-source';
import type { DenseArray } from '../../../../src/cli/commands/reference/case';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import type { Experiment } from '../../../../src/experiment/experiment';
import type { LoraSpec } from '../../../../src/experiment/methods';
import { DType } from '../../../../src/graph/dtype';
import { pytorchPathOf } from '../../../../src/graph/layers/linear';
import { tensorOf, tensorValues } from '../../../../src/graph/values';
import { peftKey } from '../../../../src/peft/keys';
import { computeStart } from '../../../../src/training/start/compute-start';
import { StartRows } from '../../../../src/training/start/start-rows';
import { readModel } from '../../../../src/training/task/adapted-model';
import type { Task } from '../../../../src/training/task/task';
import { LABELS } from '../../../../src/tasks/task-graph';
import { scratchFolder } from '../../../scratch';
import { loraSpec } from '../../specs';

type Batch = Record<string, DenseArray>;

/** The parts of a case that the initialization needs. */
export interface StartCase {
  hyper: { r: number; lora_alpha: number };
  targets: string[];
  initial: Record<string, DenseArray>;
  changedBase?: Record<string, DenseArray>;
  calibration?: { batches: Batch[] };
  evaRanks?: Record<string, { rank: number; scaling: number }>;
}

export const caseFolder = (name: string): string => resolve('test/fixtures/peft-more', name);

export const startCase = (name: string): StartCase =>
  JSON.parse(readFileSync(`${caseFolder(name)}.json`, 'utf8')) as StartCase;

const types: Record<string, number> = { input_ids: DType.int64, attention_mask: DType.int64 };

/** A task on a case's model, whose training rows are the case's batches, in this order. */
export async function startTask(
  name: string,
  settings: Partial<LoraSpec>,
  { calibration, hyper, targets } = startCase(name),
): Promise<Task> {
  const source = modelSource(caseFolder(name));
  const { original, model, layers } = readModel(source);
  const adapter = loraSpec({
    rank: hyper.r,
    alpha: hyper.lora_alpha,
    // Full paths have the class's prefix.
    targetModules: targets.map((target) => target.replace(/^roberta\./, '')),
    ...settings,
  });
  const { adapters } = selectAdapters(model.graph, layers, adapter, 'logits');
  const infos = await probe(model, join(scratchFolder(`start-${name}`), 'probe'));
  const batches = calibration?.batches ?? [];
  const spec = {
    adapter,
    model: { path: source.file },
    training: { seed: 3, batchSize: 1 },
    task: { type: 'text-classification', head: 'none' },
  } as Experiment;
  const examples = batches.map((batch) => ({ size: batch.input_ids.dims[1] }));
  const data = { train: { dataset: { examples } } };
  const rows = new StartRows({ data, spec } as unknown as Task);
  const order = batches.map(() => rows.take(1).indices[0]!);
  const feeds: Task['feeds'] = (_, [row]) => {
    const batch = batches[order.indexOf(row!)]!;
    const host = ([input, { dims, data }]: [string, DenseArray]) => {
      const dtype = types[input];
      return [input, { dtype, dims, data: tensorValues(tensorOf('', dtype, dims, data)) }] as const;
    };
    const count = batch.input_ids.dims[0];
    const labels = { dtype: DType.int64, dims: [count], data: new BigInt64Array(count) };
    return Promise.resolve({ ...Object.fromEntries(Object.entries(batch).map(host)), [LABELS]: labels });
  };
  const graph = { objective: 'cross-entropy', output: 'logits', adapters };
  const task = { spec, source, original, model, infos, layers, adapters, graph, data, feeds, readAhead() {} };
  return task as unknown as Task;
}

/** The values that a task starts from. @param progress is called with the share that is done */
export const started = (task: Task, progress: (share: number) => Promise<void> = () => Promise.resolve()) =>
  computeStart(task, { folder: join(scratchFolder('start'), 'graph'), threads: 1, progress });

/** Values of an adapter by their short names, computed here and by PEFT. */
export function bothValues(
  c: StartCase,
  { start }: Pick<Task, 'start'>,
  adapter: LayerAdapter,
  name: 'A' | 'B',
): { own: Float32Array; peft: number[] } {
  const key = peftKey(pytorchPathOf(adapter.layer), `lora_${name}.weight`);
  return { own: start!.get(tensorName(adapter, name))!, peft: c.initial[key].data };
}

/** The largest difference, as a share of the largest magnitude that is wanted. */
export function share(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Infinity;
  let [most, off] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    most = Math.max(most, Math.abs(wanted[i]!));
    off = Math.max(off, Math.abs(found[i]! - wanted[i]!));
  }
  return Number.isNaN(off) ? Infinity : off / most;
}

/** A and B with the signs of PEFT's: each rank has one. */
export function withSigns(
  adapter: LayerAdapter,
  A: Float32Array,
  B: Float32Array,
  wanted: ArrayLike<number>,
) {
  const { inFeatures } = adapter.layer;
  const rank = A.length / inFeatures;
  const signs = Array.from({ length: rank }, (_, k) => {
    let along = 0;
    for (let i = 0; i < inFeatures; i++) along += A[k * inFeatures + i]! * wanted[k * inFeatures + i]!;
    return Math.sign(along);
  });
  return {
    A: A.map((v, i) => signs[Math.floor(i / inFeatures)]! * v),
    B: B.map((v, i) => signs[i % rank]! * v),
  };
}

/** W − s B A. */
export function residual(adapter: LayerAdapter, A: Float32Array, B: Float32Array): Float64Array {
  const { layer, spec } = adapter;
  const rank = A.length / layer.inFeatures;
  const scale = adapterScale(spec);
  return Float64Array.from(layerValues(layer).weight(), (w, at) => {
    const [o, i] = [Math.floor(at / layer.inFeatures), at % layer.inFeatures];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += B[o * rank + k]! * A[k * layer.inFeatures + i]!;
    return w - scale * sum;
  });
}
