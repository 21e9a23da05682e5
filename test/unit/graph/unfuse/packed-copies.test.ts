import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { loadModel } from '../../../../src/graph/file/load';
import { saveModel } from '../../../../src/graph/file/save';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { prepareModel } from '../../../../src/graph/prepare';
import { tensorOf } from '../../../../src/graph/values';
import { emptyGraph, modelOf } from '../../autodiff/check';

const folder = mkdtempSync(join(tmpdir(), 'aurora-copies-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two calls of fused attention, each with its own packed weight and bias. */
function calls(names: [string, string], last: [number, number], file: string) {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  let x = g.addInput('x', DType.float, ['batch', 'sequence', 2]);
  names.forEach((name, i) => {
    const own = (part: string, dims: number[], values: number[]) =>
      g.addInitializer(tensorOf(`Attention_${i}_qkv_${part}`, DType.float, dims, values));
    const weight = [...new Array<number>(2 * 6 - 1).fill(0.5), last[i]!];
    const bias = own('bias', [6], [0, 1, 2, 3, 4, 5]);
    const inputs = [x, own('weight', [2, 6], weight), bias];
    const named = { domain: 'com.microsoft', name: `Attention_${i}`, outputs: [name] };
    x = g.op('Attention', inputs, { num_heads: 1 }, named);
  });
  g.addOutput(x);
  const path = join(folder, file);
  saveModel({ ...modelOf(graph), opsets: new Map([['', 20], ['com.microsoft', 1]]) }, path); // prettier-ignore
  const model = loadModel(path);
  return { model, layers: findLinearLayers(prepareModel(model).graph).map((l) => [l.path, l.calls.length]) };
}

const at = (module: string) => `/encoder/${module}/attention/Flatten_output_0`;
const three = (module: string, count: number) =>
  ['query', 'key', 'value'].map((name) => [`encoder.${module}.attention.${name}`, count]);

describe('packed weights of a module that is called twice', () => {
  it('are one weight if they are equal', () => {
    const { model, layers } = calls([at('layer'), at('layer_1')], [1, 1], 'equal.onnx');
    expect(layers).toEqual(three('layer', 2));
    expect([...model.graph.initializers.keys()]).toEqual(['Attention_0_qkv_bias', 'Attention_0_qkv_weight']);
  });

  it('are two if their values differ', () => {
    const { layers } = calls([at('layer'), at('layer_1')], [1, 2], 'different.onnx');
    expect(layers).toEqual([...three('layer', 1), ...three('layer_1', 1)]);
  });

  it('are two if their modules differ', () => {
    const { model, layers } = calls([at('layer.0'), at('layer.1')], [1, 1], 'modules.onnx');
    expect(layers).toEqual([...three('layer.0', 1), ...three('layer.1', 1)]);
    expect(model.graph.initializers.size).toBe(4);
  });
});
