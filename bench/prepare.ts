import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import { tensorName } from '../src/adapters/inject';
import { DType } from '../src/graph/dtype';
import { findLinearLayers } from '../src/graph/layers/linear';
import { loadModel } from '../src/graph/file/load';
import { isFileRef, type Model } from '../src/graph/model';
import { saveModel } from '../src/graph/file/save';
import { random, uniform } from '../src/base/random';
import { EPSILON, encoderModel, type EncoderSize } from '../src/trainer/doctor/encoder';
import { initialAdapters, initialHead } from '../src/trainer/task/initialize';
import { TIMED_ADAPTER } from '../src/trainer/doctor/adapter';
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
 * Usage: prepare FOLDER SIZE BATCH LENGTH; prints the path of the case.
 */
function main(folder: string, sizeName: string, batch: number, length: number): void {
  const size = SIZES[sizeName];
  mkdirSync(folder, { recursive: true });
  const file = `${sizeName}.onnx`;
  const path = join(folder, file);
  if (!existsSync(path)) saveModel(encoderModel(size), path);
  const model = loadModel(path);
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), TIMED_ADAPTER);
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
    adapter: TIMED_ADAPTER,
    modules: adapters.map((a) => a.layer.path),
    trainable: Object.fromEntries(
      [...initial].map(([name, data]) => [name, { dims: dims.get(name)!, data: [...data] }]),
    ),
    adamw: { lr: 8e-4, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 },
  };
  const out = join(folder, `${sizeName}-${batch}x${length}.json`);
  writeFileSync(out, JSON.stringify(benchCase));
  process.stdout.write(`${out}\n`);
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

const [folder, size, batch, length] = process.argv.slice(2);
main(folder, size, Number(batch), Number(length));
