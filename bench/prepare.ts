import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import { tensorName } from '../src/adapters/stored-tensors';
import { DType } from '../src/graph/dtype';
import { findLinearLayers } from '../src/graph/layers/linear';
import { loadModel } from '../src/graph/file/load';
import { isFileRef, type Model } from '../src/graph/model';
import { saveModel } from '../src/graph/file/save';
import { prepareModel } from '../src/graph/prepare';
import { random, uniform } from '../src/base/random';
import { adapterDefaults } from '../src/experiment/adapter-defaults';
import type { TrainedSpec } from '../src/experiment/methods';
import { EPSILON, encoderModel, type EncoderSize } from '../src/checks/doctor/encoder';
import { nodeWork, sum } from '../src/checks/cost/step-work';
import { fixedModel, stepGraph } from '../src/checks/cost/step-graph';
import { initialAdapters, initialHead } from '../src/training/task/initialize';
import { TIMED_ADAPTER } from '../src/checks/doctor/place-rates';
import { HEAD, type BenchCase, type DenseArray, type StoredWeight } from './case';

const SEED = 7;

const BERT = { heads: 12, vocabulary: 30522, positions: 512 };
const SIZES: Record<string, EncoderSize> = {
  '6x384': { ...BERT, layers: 6, hidden: 384, feedForward: 1536 },
  '12x768': { ...BERT, layers: 12, hidden: 768, feedForward: 3072 },
};

/**
 * Writes the model if it is missing, and one benchmark case for it.
 *
 * Usage: prepare FOLDER SIZE BATCH LENGTH [METHOD TARGETS]; prints the path of the case. TARGETS are module names, with
 * commas between them, or "all-linear".
 */
function main(
  folder: string,
  sizeName: string,
  batch: number,
  length: number,
  method?: string,
  targets?: string,
): void {
  const size = SIZES[sizeName];
  mkdirSync(folder, { recursive: true });
  const file = `${sizeName}.onnx`;
  const path = join(folder, file);
  if (!existsSync(path)) saveModel(encoderModel(size), path);
  const model = loadModel(path);
  const adapter = method === undefined ? TIMED_ADAPTER : adapterOf(method, targets!);
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), adapter);
  const dims = new Map(adapters.flatMap((a) => a.tensors.map((t) => [tensorName(a, t.name), t.dims])));
  dims.set('head.weight', [HEAD.classes, size.hidden]).set('head.bias', [HEAD.classes]);
  const initial = new Map([
    ...initialAdapters(adapters, SEED),
    ...initialHead(HEAD.classes, size.hidden, SEED),
  ]);
  const benchCase: BenchCase = {
    model: file,
    heads: size.heads,
    epsilon: EPSILON,
    weights: storedWeights(model),
    inputs: inputs(batch, length, size.vocabulary),
    labels: { dims: [batch], data: Array.from({ length: batch }, (_, i) => i % HEAD.classes) },
    pooling: 'mean',
    classes: HEAD.classes,
    adapter,
    cost: costOf(prepareModel(loadModel(path)), adapter, batch, length),
    modules: adapters.map((a) => a.layer.path),
    trainable: Object.fromEntries(
      [...initial].map(([name, data]) => [name, { dims: dims.get(name)!, data: [...data] }]),
    ),
    adamw: { lr: 8e-4, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 },
  };
  const way = method === undefined ? '' : `-${method}-${targets}`;
  const out = join(folder, `${sizeName}-${batch}x${length}${way}.json`);
  writeFileSync(out, JSON.stringify(benchCase));
  process.stdout.write(`${out}\n`);
}

/** An adapter with the timed rank. */
function adapterOf(method: string, targets: string): TrainedSpec {
  const { rank, alpha } = TIMED_ADAPTER;
  const targetModules = targets === 'all-linear' ? targets : targets.split(',');
  return { ...adapterDefaults(method), rank, alpha, targetModules } as unknown as TrainedSpec;
}

/** The operations of a step's graph, before the runtime optimizes it. */
function costOf(model: Model, adapter: TrainedSpec, batch: number, length: number): BenchCase['cost'] {
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), adapter);
  const sizes = new Map(['input_ids', 'attention_mask'].map((name) => [name, [batch, length]]));
  const spec = {
    objective: 'cross-entropy' as const,
    head: { pooling: 'mean' as const, ...HEAD },
    output: 'last_hidden_state',
    adapters,
  };
  const step = stepGraph(fixedModel(model, sizes), spec, sizes);
  return { nodes: step.graph.nodes.length, flops: sum(nodeWork(step).map(({ flops }) => flops)) };
}

/** Random tokens; every text but the first is a little shorter than the batch length. */
function inputs(batch: number, length: number, vocabulary: number): Record<string, DenseArray> {
  const lengths = Array.from({ length: batch }, (_, b) =>
    b === 0 ? length : length - Math.floor((uniform(SEED, 1, b) * length) / 4),
  );
  const cells = (value: (b: number, t: number) => number): DenseArray => ({
    dims: [batch, length],
    data: lengths.flatMap((n, b) => Array.from({ length }, (_, t) => (t < n ? value(b, t) : 0))),
  });
  return { input_ids: cells((b, t) => random(SEED, 2, b, t) % vocabulary), attention_mask: cells(() => 1) };
}

function storedWeights(model: Model): Record<string, StoredWeight> {
  const linear = new Map(findLinearLayers(model.graph).map((l) => [l.weight.name, l.path]));
  const found: Record<string, StoredWeight> = {};
  for (const t of model.graph.initializers.values()) {
    if (t.dtype !== DType.float || !isFileRef(t.data)) continue;
    const path = linear.get(t.name);
    found[path ? `${path}.weight` : t.name] = {
      transposed: path !== undefined,
      dims: t.dims,
      offset: t.data.offset,
    };
  }
  return found;
}

const [folder, size, batch, length, method, targets] = process.argv.slice(2);
main(folder, size, Number(batch), Number(length), method, targets);
