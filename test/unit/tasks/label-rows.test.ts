import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { openTask } from '../../../src/engine/open-task';
import { probe } from '../../../src/engine/onnxruntime/probe';
import type { TaskOptions } from '../../../src/engine/stepper';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { elementCount, type Model } from '../../../src/graph/model';
import { LABEL_ROWS } from '../../../src/tasks/label-rows';
import type { ObjectiveName } from '../../../src/tasks/objective';
import { buildTaskGraph, LABELS } from '../../../src/tasks/task-graph';
import { emptyGraph, generator, modelOf, symmetric } from '../autodiff/check';
import { host } from '../graph/onnx-models';
import { loraSpec } from '../specs';

const [SIZE, CLASSES] = [4, 4100];

/** Writes the logits of x (batch, sequence, SIZE) under their name. */
type Head = (g: GraphBuilder, x: string, weight: (name: string, ...dims: number[]) => string) => void;

const HEADS: Record<string, Head> = {
  'a product, a bias and a soft cap': (g, x, weight) => {
    const product = g.op('MatMul', [x, weight('lm_head.weight', SIZE, CLASSES)]);
    const sum = g.op('Add', [weight('lm_head.bias', CLASSES), product]);
    const cap = g.scalar(2, DType.float);
    g.op('Mul', [g.op('Tanh', [g.op('Div', [sum, cap])]), cap], {}, { outputs: ['logits'] });
  },
  'rows of tokens, and a tied weight': (g, x, weight) => {
    const flat = g.op('Reshape', [x, g.ints([-1, SIZE])]);
    const product = g.op('Gemm', [flat, weight('embedding.weight', CLASSES, SIZE)], { transB: 1 });
    const shape = g.op('Concat', [g.op('Shape', [x], { end: 2 }), g.ints([CLASSES])], { axis: 0 });
    g.op('Reshape', [product, shape], {}, { outputs: ['logits'] });
  },
  'a turned weight': (g, x, weight) => {
    const turned = g.op('Transpose', [weight('embedding.weight', CLASSES, SIZE)], { perm: [1, 0] });
    g.op('MatMul', [x, turned], {}, { outputs: ['logits'] });
  },
};

/** An embedding, one layer, and a head. */
function languageModel(head: Head): Model {
  const random = generator(4);
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const weight = (name: string, ...dims: number[]): string => {
    if (graph.initializers.has(name)) return name;
    const data = Float32Array.from({ length: elementCount(dims) }, () => symmetric(random));
    return g.addInitializer({ name, dtype: DType.float, dims, data: new Uint8Array(data.buffer) });
  };
  const ids = g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  const x = g.op('Gather', [weight('embedding.weight', CLASSES, SIZE), ids]);
  head(g, g.op('Tanh', [g.op('MatMul', [x, weight('dense.weight', SIZE, SIZE)])]), weight);
  graph.outputs.push({ name: 'logits', dtype: DType.float, shape: ['batch', 'sequence', CLASSES] });
  return { ...modelOf(graph), opsets: new Map([['', 21]]) };
}

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'aurora-rows-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A step on a batch, and whether its graph takes rows. */
async function step(
  model: Model,
  objective: ObjectiveName,
  labels: number[],
  targets: string[],
  options: TaskOptions,
) {
  const infos = await probe(model);
  const lora = loraSpec({ targetModules: targets, rank: 2 });
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), lora, 'logits');
  const spec = { objective, output: 'logits', adapters };
  const { stepper, trainable } = await openTask(
    model,
    infos,
    spec,
    mkdtempSync(join(folder, 'step-')),
    options,
  );
  const random = generator(9);
  const values = new Map(
    trainable.map((t) => [
      t.name,
      Float32Array.from({ length: elementCount(t.dims) }, () => symmetric(random)),
    ]),
  );
  const inputs = {
    input_ids: host([2, 4], [5, 4099, 0, 7, 8, 2, 2, 1], DType.int64),
    [LABELS]: host([2, 4], labels, DType.int64),
  };
  const result = await stepper.step(inputs, values, 0.5);
  const { lossSum, count } = await stepper.evaluate(inputs, values);
  await stepper.dispose();
  const takesRows = buildTaskGraph(model, infos, spec, true, true).model.graph.inputs.some(
    (i) => i.name === LABEL_ROWS,
  );
  return { ...result, evaluated: { lossSum, count }, takesRows, atLabels: stepper.atLabels };
}

const TFJS: TaskOptions = { place: { engine: 'tfjs', device: 'wasm' } };
const LABELED = [-100, 4099, -100, 17, 3, -100, -100, 0];

describe('a step computes only the rows with a label', () => {
  it.each([
    ['a product, a bias and a soft cap', 'causal-lm', LABELED, 3],
    ['rows of tokens, and a tied weight', 'token-cross-entropy', LABELED, 4],
    ['a turned weight', 'causal-lm', [9, -100, -100, -100, 9, -100, -100, -100], 0],
  ] as const)('of %s, in %s', async (head, objective, labels, count) => {
    const model = languageModel(HEADS[head]!);
    const ours = await step(model, objective, [...labels], ['dense'], {});
    expect(ours).toMatchObject({ takesRows: true, atLabels: true, count, evaluated: { count } });
    expect(ours.lossSum).toBeCloseTo(ours.evaluated.lossSum, 4);
    // All rows.
    const whole = await step(model, objective, [...labels], ['dense'], TFJS);
    expect(whole.atLabels).toBeFalsy();
    expect(ours.lossSum).toBeCloseTo(whole.lossSum, 4);
    for (const [name, gradient] of whole.gradients)
      gradient.forEach((v, i) => expect(ours.gradients.get(name)![i]).toBeCloseTo(v, 4));
  });
});

it('a head that an adapter changes is computed whole', async () => {
  const model = languageModel(HEADS['a product, a bias and a soft cap']!);
  const ours = await step(model, 'causal-lm', LABELED, ['dense', 'lm_head'], {});
  expect(ours).toMatchObject({ takesRows: false, atLabels: false, count: 3 });
});
