import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { loadModel } from '../../../../src/graph/file/load';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { prepareModel } from '../../../../src/graph/prepare';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { tensorOf } from '../../../../src/graph/values';
import { input, model, node } from '../onnx-models';

const layersOf = (name: string) =>
  findLinearLayers(prepareModel(loadModel(resolve(`test/fixtures/fused/${name}.onnx`))).graph);

describe('linear layers of fused files', () => {
  it("have the paths of the model's modules, with their biases", () => {
    const layers = layersOf('bert-fused');
    const expected = [0, 1].flatMap((i) =>
      ['self.query', 'self.key', 'self.value', 'output.dense']
        .map((name) => `attention.${name}`)
        .concat('intermediate.dense', 'output.dense')
        .map((name) => `encoder.layer.${i}.${name}`),
    );
    expect(layers.map((l) => l.path)).toEqual(expected);
    expect(layers.filter((l) => !l.hasBias || !l.plain || l.sharedWith.length > 0)).toEqual([]);
    const [, key] = layers;
    expect(key).toMatchObject({ inFeatures: 32, outFeatures: 32, firstColumn: 32 });
    expect(key!.weight.dims).toEqual([32, 96]);
    expect(key!.bias).toMatchObject({ first: 32, shared: false });
  });

  it('are the same as those of the file before it was fused', () => {
    const plain = findLinearLayers(
      prepareModel(loadModel(resolve('test/fixtures/reference/bert.onnx'))).graph,
    );
    const known = (layers: typeof plain) =>
      layers.map(({ path, inFeatures, outFeatures, hasBias }) => ({
        path,
        inFeatures,
        outFeatures,
        hasBias,
      }));
    expect(known(layersOf('bert-optimized'))).toEqual(expect.arrayContaining(known(plain)));
  });

  /** A fused attention under names, with an output projection. */
  function named(names: {
    attention?: string;
    weight?: string;
    output?: string;
    projection: string;
  }): string[] {
    const { attention = 'Attention_0', weight = 'packed', output = 'mixed', projection } = names;
    const float = (name: string, ...dims: number[]) =>
      tensorOf(name, DType.float, dims, new Float32Array(dims.reduce((a, b) => a * b)));
    const fused = node('Attention', ['x', weight, 'biases'], [output], { num_heads: 1 }, 'com.microsoft');
    const m = model({
      opset: 20,
      domains: { 'com.microsoft': 1 },
      inputs: [input('x', DType.float, ['b', 's', 2])],
      initializers: [float(weight, 2, 6), float('biases', 6), float(projection, 2, 2)],
      nodes: [{ ...fused, name: attention }, node('MatMul', [output, projection], ['y'])],
      outputs: ['y'],
    });
    return findLinearLayers(unfuse(m).graph).map((l) => l.path);
  }
  const three = (module: string, ...parts: string[]) => parts.map((part) => `${module}.${part}`);

  it.each([
    [
      'its output',
      { output: '/h.0/self/Reshape_3_output_0', projection: 'w' },
      three('h.0.self', 'query', 'key', 'value'),
    ],
    [
      'the projection after it',
      { projection: 'encoder.layer.3.attention.output.dense.weight' },
      three('encoder.layer.3.attention.self', 'query', 'key', 'value'),
    ],
    [
      "the projection after it, in another library's words",
      { projection: 'transformer.layer.1.attention.out_lin.weight' },
      three('transformer.layer.1.attention', 'q_lin', 'k_lin', 'v_lin'),
    ],
    ['itself', { projection: 'w' }, three('Attention_0', 'query', 'key', 'value')],
    [
      'its place, without a name',
      { attention: '', projection: 'w' },
      three('Attention_0', 'query', 'key', 'value'),
    ],
    ['the projection after it, as one module', { projection: 'h.0.attn.c_proj.weight' }, ['h.0.attn.c_attn']],
    ['its weight, as one module', { weight: 'h.0.attn.c_attn.weight', projection: 'w' }, ['h.0.attn.c_attn']],
  ])('in a fused attention are named after %s', (_, names, paths) => {
    expect(named(names).slice(0, -1)).toEqual(paths);
  });
});
