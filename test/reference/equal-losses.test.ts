import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReference } from '../../src/cli/commands/reference/case';
import { caseFeeds, caseParameters, caseTask, shapesOf } from '../../src/cli/commands/reference/model-case';
import { openTask } from '../../src/engine/open-task';
import { probe } from '../../src/engine/onnxruntime/probe';
import { loadModelFrom } from '../../src/architectures/load';
import { modelSource } from '../../src/architectures/model-source';
import { loadModel } from '../../src/graph/file/load';
import { inFloat } from '../../src/graph/layers/weight-operands';
import type { Model } from '../../src/graph/model';
import { prepareModel } from '../../src/graph/prepare';
import { isNBits, nbitsOf, nbitsRows } from '../../src/graph/quantized/nbits';
import { tensorOf } from '../../src/graph/values';
import { AdamW } from '../../src/training/optimizer/optimizer';
import { quantizeModel } from '../../src/quantize/quantize';
import { fixture } from './files';
import { PACKED, packedForm } from './packed-forms';

const STEPS = 20;
let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'aurora-losses-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * The loss before each step of a reference case, and after the last, on another file of its model.
 *
 * @param first gets the gradients of the first step
 */
async function losses(
  name: string,
  loaded: Model,
  first: Map<string, Float32Array> = new Map(),
): Promise<number[]> {
  const file = readReference(fixture(`${name}-aurora.json`));
  if (file.kind !== 'model') throw new Error(`${name} is not a case over a model`);
  const { case: c } = file;
  const model = prepareModel(loaded);
  const infos = await probe(model, undefined, [shapesOf(c.inputs)]);
  const { stepper } = await openTask(model, infos, caseTask(model, c), mkdtempSync(join(folder, 'step-')));
  const parameters = caseParameters(c);
  const { lr, betas, eps, weightDecay } = c.adamw;
  const groups = [{ names: [...parameters.keys()], lr, weightDecay }];
  const optimizer = new AdamW(groups, { betas, epsilon: eps });
  const inputs = caseFeeds(model, c, c);
  const { count } = await stepper.evaluate(inputs, parameters);
  const found: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const step = await stepper.step(inputs, parameters, 1 / count);
    found.push(step.lossSum / step.count);
    if (i === 0) step.gradients.forEach((g, of) => first.set(of, Float32Array.from(g)));
    optimizer.step(parameters, step.gradients, 1);
  }
  const { lossSum } = await stepper.evaluate(inputs, parameters);
  await stepper.dispose();
  return [...found, lossSum / count];
}

const plain = (name: string) => losses(name, loadModel(fixture(`${name}.onnx`)));
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

/** A model with its dequantized weights in float32. */
function inFloats(model: Model): Model {
  const initializers = new Map(model.graph.initializers);
  const nodes = model.graph.nodes.flatMap((node) => {
    if (!isNBits(node)) return [node];
    const w = nbitsOf(node, (name) => initializers.get(name));
    const { inFeatures, outFeatures } = w;
    const rows = nbitsRows(w);
    const turned = Float32Array.from(rows, (_, at) => {
      const [i, o] = [Math.floor(at / outFeatures), at % outFeatures];
      return rows[o * inFeatures + i];
    });
    const name = `${w.weight.name}/float`;
    initializers.set(name, tensorOf(name, w.scales.dtype, [inFeatures, outFeatures], turned));
    return inFloat(node, name);
  });
  return { ...model, graph: { ...model.graph, initializers, nodes } };
}

describe(`${STEPS} steps have the losses of`, () => {
  it.each([
    ['bert', 'bert-optimized'],
    ['llama', 'llama-grouped'],
    ['vit', 'vit-optimized'],
  ])('the plain model, on packed weights and fused operators: %s as %s', async (name, form) => {
    const fused = await losses(name, loadModel(fixture(`../fused/${form}.onnx`)));
    expect(largest(fused, await plain(name))).toBeLessThan(1e-4);
  });

  it.each(Object.keys(PACKED))('the plain model, with its gradients, on %s', async (name) => {
    const { of, plain, form } = packedForm(name, folder);
    const [wanted, found] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
    const expected = await losses(of, plain, wanted);
    expect(largest(await losses(of, form, found), expected)).toBeLessThan(1e-4);
    expect([...found.keys()]).toEqual([...wanted.keys()]);
    for (const [parameter, gradient] of wanted) {
      const scale = Math.max(...gradient.map(Math.abs));
      expect(largest(found.get(parameter)!, gradient)).toBeLessThan(1e-5 * (1 + scale));
    }
  });

  it('the plain model within its error, on quantized embeddings too', async () => {
    const path = join(folder, 'embeddings.onnx');
    const modules = ['word_embeddings', 'query', 'key', 'value'];
    quantizeModel(
      modelSource(fixture('../hf/bert')),
      path,
      { bits: 8, blockSize: 16, symmetric: true },
      modules,
    );
    const model = loadModel(path);
    expect(model.graph.nodes.map((n) => n.opType)).toContain('GatherBlockQuantized');
    const original = await losses('../hf/bert', loadModelFrom(modelSource(fixture('../hf/bert'))));
    const off = largest(await losses('../hf/bert', model), original);
    expect(off).toBeGreaterThan(1e-6);
    expect(off).toBeLessThan(0.002);
  });

  it.each([
    ['bert', 4, 0.02],
    ['bert', 8, 0.0005],
    ['llama', 4, 0.02],
    ['llama', 8, 0.002],
  ] as const)(
    'the dequantized model, and those of the plain one within its error: %s, %i bits',
    async (name, bits, error) => {
      const path = join(folder, `${name}-${bits}.onnx`);
      quantizeModel(modelSource(fixture(`${name}.onnx`)), path, { bits, blockSize: 32, symmetric: true });
      const model = loadModel(path);
      expect(model.graph.nodes.some(isNBits)).toBe(true);
      const quantized = await losses(name, model);
      expect(largest(quantized, await losses(name, inFloats(model)))).toBeLessThan(1e-4);
      const off = largest(quantized, await plain(name));
      expect(off).toBeGreaterThan(1e-5);
      expect(off).toBeLessThan(error);
    },
  );
});
