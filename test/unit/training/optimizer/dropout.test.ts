import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import { readReference, type StepFields } from '../../../../src/cli/commands/reference/case';
import { caseModel, caseFeeds, caseTask, shapesOf } from '../../../../src/cli/commands/reference/model-case';
import { openTask } from '../../../../src/engine/open-task';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import type { HostTensors } from '../../../../src/engine/stepper';
import type { LinearLayer } from '../../../../src/graph/layers/linear';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { TensorInfos } from '../../../../src/graph/tensor-infos';
import { prepareModel } from '../../../../src/graph/prepare';
import { DropoutMasks } from '../../../../src/training/optimizer/dropout';
import { fixture } from '../../../reference/files';
import { loraSpec } from '../../specs';

const folder = mkdtempSync(join(tmpdir(), 'aurora-dropout-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A family of each kind of builder, and exports whose layers read other shapes. */
const CASES = [
  'albert-aurora',
  'bert-aurora',
  'clip-text-aurora',
  'deberta-conv-aurora',
  'deberta-v3-lora',
  'distilbert-aurora',
  'electra-aurora',
  'modernbert-aurora',
  'mpnet-aurora',
  'roberta-aurora',
  't5-lora',
  'gemma3-lora',
  'gpt-neox-aurora',
  'gpt2-lora',
  'llama-aurora',
  'qwen3-heads-aurora',
  'dinov2-aurora',
  'swin-lora',
  'vit-aurora',
].map((name) => `../hf/${name}.json`);
const EXPORTS = [
  './vit-aurora.json',
  ...['torch-encoder-prenorm', 't5-encoder', 'deberta'].map((n) => `more/${n}.json`),
];

/** Row b of every tensor with a batch in front. */
const row = (inputs: HostTensors, b: number): HostTensors =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, dims, data }]) => {
      const size = data.length / dims[0]!;
      return [name, { dtype, dims: [1, ...dims.slice(1)], data: data.slice(b * size, (b + 1) * size) }];
    }),
  ) as HostTensors;

describe('dropout', () => {
  it.each([...CASES, ...EXPORTS])('gives a batch the gradients of its examples: %s', async (name) => {
    const file = readReference(fixture(name));
    if (file.kind !== 'model') throw new Error(name);
    const { case: c, modelPath } = file;
    const model = prepareModel(caseModel(modelPath, c));
    const infos = await probe(
      model,
      folder,
      [c, ...c.otherShapes].map((f: StepFields) => shapesOf(f.inputs)),
    );
    const spec = caseTask(model, c);
    const adapters = spec.adapters.map((a) => ({ ...a, spec: { ...a.spec, dropout: 0.4 } }) as LayerAdapter);
    const dropout = new DropoutMasks({ model, infos, adapters }, 5);
    const { stepper, trainable } = await openTask(model, infos, { ...spec, adapters }, join(folder, 'step'));
    const parameters = new Map(
      trainable.map(({ name }) => [name, Float32Array.from(c.trainable[name]!.data)] as const),
    );
    const inputs = caseFeeds(model, c, c);
    const [batch, length] = Object.values(inputs)[0]!.dims as [number, number];
    const examples = Array.from({ length: batch }, (_, i) => 11 * i);
    const whole = await stepper.step({ ...inputs, ...dropout.masks(3, examples, length) }, parameters, 1);
    const sum = new Map([...whole.gradients].map(([name, g]) => [name, new Float64Array(g.length)]));
    for (const [b, example] of examples.entries()) {
      const masks = dropout.masks(3, [example], length);
      const { gradients } = await stepper.step({ ...row(inputs, b), ...masks }, parameters, 1);
      for (const [name, g] of gradients) g.forEach((x, i) => (sum.get(name)![i] += x));
    }
    const other = await stepper.step({ ...inputs, ...dropout.masks(4, examples, length) }, parameters, 1);
    await stepper.dispose();
    const largest = Math.max(...[...whole.gradients.values()].flatMap((g) => [...g].map(Math.abs)));
    let difference = 0;
    for (const [name, g] of whole.gradients)
      g.forEach((x, i) => (difference = Math.max(difference, Math.abs(x - sum.get(name)![i]!))));
    expect(difference / largest).toBeLessThan(1e-5);
    // Other masks give other gradients: the masks are in use.
    expect(
      [...other.gradients].some(([name, g]) => g.some((x, i) => x !== whole.gradients.get(name)![i])),
    ).toBe(true);
  });
});

/** A layer whose input is `x` of a graph over input_ids, with the given shapes as a probe would find them. */
function layerOn(shapes: Record<string, (number | string)[]>, reshapes: [from: string, to: string][] = []) {
  const g = new GraphBuilder(
    { name: '', nodes: [], initializers: new Map(), inputs: [], outputs: [] },
    '/test',
  );
  g.addInput('input_ids', DType.int64, shapes.input_ids!);
  for (const [from, to] of reshapes) g.op('Reshape', [from, 'shape'], {}, { outputs: [to] });
  const infos: TensorInfos = new Map(
    Object.entries(shapes).map(([name, shape]) => [name, { dtype: DType.float, shape }]),
  );
  const layer = {
    path: 'layer',
    inFeatures: 8,
    outFeatures: 8,
    calls: [{ input: 'x' }],
  } as unknown as LinearLayer;
  const adapters = [{ layer, spec: loraSpec({ dropout: 0.5 }), tensors: [] }] as unknown as LayerAdapter[];
  const masks = new DropoutMasks({ model: { graph: g.graph }, infos, adapters }, 1);
  return (examples: number[], length: number) => masks.masks(2, examples, length)['layer.dropout.0']!;
}

const FEATURES = 8;
const IDS = { input_ids: ['batch', 'sequence'] };
/** The masks of an example at a position, from masks in rows of these. */
const at = (data: ArrayLike<unknown>, row: number) =>
  Array.from(data).slice(row * FEATURES, (row + 1) * FEATURES);

describe('the masks of a layer', () => {
  const usual = layerOn({ ...IDS, x: ['batch', 'sequence', FEATURES] });

  it('are the same whether tokens lie on one axis or two', () => {
    const flat = layerOn({ ...IDS, x: ['14|33|65', FEATURES] });
    expect(flat([4, 9], 5).dims).toEqual([10, FEATURES]);
    expect(flat([4, 9], 5).data).toEqual(usual([4, 9], 5).data);
  });

  it('are the same for an example in any batch, at any padded length', () => {
    for (const masks of [usual, layerOn({ ...IDS, x: ['14|33|65', FEATURES] })])
      for (let token = 0; token < 5; token++)
        expect(at(masks([4, 9], 7).data, 7 + token)).toEqual(at(masks([9], 5).data, token));
  });

  it('follow the order of tokens that a model with the sequence in front has', () => {
    const flat = layerOn({ ...IDS, y: ['sequence', 'batch', 2, 4], x: ['14|33|65', FEATURES] }, [['y', 'x']]);
    const apart = layerOn({ ...IDS, x: ['sequence', 'batch', FEATURES] });
    expect(apart([4, 9], 5).dims).toEqual([5, 2, FEATURES]);
    for (let token = 0; token < 5; token++)
      for (const masks of [flat, apart])
        expect(at(masks([4, 9], 5).data, 2 * token + 1)).toEqual(at(usual([4, 9], 5).data, 5 + token));
  });

  it('do not depend on padding where each token has several rows, in either order', () => {
    const inner = layerOn({ ...IDS, x: ['batch', 'sequence', 3, FEATURES] });
    const outer = layerOn({ ...IDS, y: ['batch', 3, 'sequence', FEATURES], x: ['42|99|195', FEATURES] }, [
      ['y', 'x'],
    ]);
    const [short, long] = [inner([9], 5).data, outer([4, 9], 7).data];
    for (let token = 0; token < 5; token++)
      for (let k = 0; k < 3; k++) expect(at(long, 3 * 7 + k * 7 + token)).toEqual(at(short, token * 3 + k));
  });

  it('go by the names that an exporter gave the axes', () => {
    const masks = layerOn({
      input_ids: ['batch_size', 'sequence_length'],
      x: ['batch_size', 'sequence_length', FEATURES],
    });
    expect(masks([4, 9], 5).data).toEqual(usual([4, 9], 5).data);
  });

  it('are shared by all examples where its input is', () => {
    const masks = layerOn({ ...IDS, x: [16, FEATURES] });
    expect(masks([4], 5)).toEqual(masks([9, 4], 7));
    expect(masks([4], 5).dims).toEqual([16, FEATURES]);
  });

  it('are refused where rows cannot be assigned to examples and tokens', () => {
    expect(() => layerOn({ ...IDS, x: ['15|34|66', FEATURES] })).toThrow(
      /adapter\.dropout cannot be used on layer: its input has the shape \[15\|34\|66, 8\]/,
    );
  });
});
