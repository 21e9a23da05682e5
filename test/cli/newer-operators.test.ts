import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder';
import { DType } from '../../src/graph/dtype';
import { loadModel } from '../../src/graph/file/load';
import { saveModel } from '../../src/graph/file/save';
import { emptyGraph } from '../../src/graph/onnx/decode';
import { elementCount, type Model } from '../../src/graph/model';
import { tensorOf } from '../../src/graph/values';
import { functionBytes, OWN } from '../unit/graph/functions';
import { node } from '../unit/graph/onnx-models';
import { Lab } from './lab';

/** An encoder of opset 24 as newer exporters write it: Attention, RMSNormalization, and a function for the MLP. */
function encoder(): Model {
  const g = new GraphBuilder(emptyGraph(), '');
  const ids = g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  const mask = g.addInput('attention_mask', DType.int64, ['batch', 'sequence']);
  const weight = (name: string, ...dims: number[]) => {
    const values = Array.from(
      { length: elementCount(dims) },
      (_, i) => 0.4 * Math.sin(i * 12.9898 + name.length),
    );
    return g.addInitializer(tensorOf(name, DType.float, dims, values));
  };
  const linear = (x: string, name: string, from = 32, to = 32) =>
    g.op('MatMul', [x, weight(`layer.0.${name}.weight`, from, to)], {}, { name: `/layer.0/${name}/MatMul` });
  const x = g.op('Gather', [weight('embeddings.weight', 1000, 32), ids]);
  const normal = g.op('RMSNormalization', [x, weight('norm.weight', 32)]);
  const seen = g.op('Cast', [g.op('Unsqueeze', [mask, g.ints([1, 2])])], { to: DType.bool });
  const rows = g.op('Unsqueeze', [g.op('Unsqueeze', [mask, g.ints([1])]), g.ints([3])]);
  const square = g.op('And', [seen, g.op('Cast', [rows], { to: DType.bool })]);
  const [q, k, v] = ['query', 'key', 'value'].map((name) => linear(normal, name));
  const mixed = g.op('Attention', [q, k, v, square], { q_num_heads: 4, kv_num_heads: 4 });
  const h = g.op('Add', [x, linear(mixed, 'output')]);
  g.op(
    'Mlp',
    [h, weight('layer.0.up.weight', 32, 48), weight('layer.0.down.weight', 48, 32)],
    {},
    { domain: OWN, outputs: ['last_hidden_state'] },
  );
  g.graph.outputs.push({ name: 'last_hidden_state', dtype: DType.float, shape: ['batch', 'sequence', 32] });
  const nodes = [
    node('MatMul', ['x', 'up'], ['wide']),
    node('Swish', ['wide'], ['bent']),
    node('MatMul', ['bent', 'down'], ['y']),
  ];
  return {
    irVersion: 12,
    producer: 'test',
    opsets: new Map([
      ['', 24],
      [OWN, 1],
    ]),
    graph: g.graph,
    metadata: new Map(),
    unknown: [functionBytes({ name: 'Mlp', inputs: ['x', 'up', 'down'], outputs: ['y'], nodes, opset: 24 })],
  };
}

describe('a file with operators of opset 24 and a local function', () => {
  const lab = new Lab({
    adapter: { method: 'lora', rank: 2, targetModules: ['query', 'up'] },
    training: { epochs: 1, maxSteps: 4, evaluateEvery: 4, checkpointEvery: 4 },
  });
  saveModel(encoder(), lab.path('model.onnx'));
  afterAll(() => lab.remove());

  it('lists its layers, trains, and is exported as it was', () => {
    const inspected = lab.run('inspect', lab.path('model.onnx'));
    expect(inspected.out).toMatch(/opset 24/);
    expect(inspected.out).toMatch(/layer\.0\.down/);
    const out = lab.path('runs');
    const trained = lab.run('train', lab.experiment, '--out', out, '--device', 'cpu');
    expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('rror')]);
    const [run] = lab.runs(out);
    const exported = lab.path('merged');
    const r = lab.run('export', run, '--as', 'onnx-merged', '--at', 'last', '--out', exported);
    expect(r.code, r.err).toBe(0);
    const file = readdirSync(exported).find((name) => name.endsWith('.onnx'))!;
    const { graph, opsets } = loadModel(join(exported, file));
    expect(opsets.get('')).toBe(24);
    expect(graph.nodes.map((n) => n.opType)).toEqual(
      expect.arrayContaining(['Attention', 'RMSNormalization', 'Mlp']),
    );
  });
});
