import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { differentiate } from '../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { host, runModel } from '../graph/onnx-models';

const HIDDEN = 16;
const HIDDEN_STATE = 'last_hidden_state';

/** The gradient of the states of one token, of five of which the first two are padding, by the queries' bias. */
async function gradientOf(token: number): Promise<number[]> {
  const model = loadModelFrom(modelSource(join(import.meta.dirname, '../../fixtures/hf/deberta-plain')));
  const { graph } = model;
  graph.outputs = graph.outputs.filter((o) => o.name === HIDDEN_STATE);
  const infos = await probe(model);
  const g = new GraphBuilder(graph, '');
  const { dtype, shape } = infos.get(HIDDEN_STATE)!;
  const seed = g.addInput('seed', dtype, shape);
  const bias = 'encoder.layer.0.attention.self.query_proj.bias';
  const gradient = differentiate(graph, infos, new Map([[HIDDEN_STATE, seed]]), [bias]).get(bias)!;
  g.addOutput(gradient);
  const seeds = Array.from({ length: 5 * HIDDEN }, (_, i) =>
    Math.floor(i / HIDDEN) === token ? (i % 7) - 3 : 0,
  );
  const found = await runModel(model, {
    input_ids: host([1, 5], [0, 0, 5, 9, 7], DType.int64),
    attention_mask: host([1, 5], [0, 0, 1, 1, 1], DType.int64),
    seed: host([1, 5, HIDDEN], seeds),
  });
  return Array.from(found[gradient].data, Number);
}

describe('DeBERTa with padding on the left', () => {
  it('has no gradient through the scores of a token that is padding', async () => {
    // transformers replaces these scores (masked_fill), so that only values, not queries and keys, matter there.
    expect((await gradientOf(0)).every((v) => v === 0)).toBe(true);
    expect((await gradientOf(2)).some((v) => Math.abs(v) > 1e-6)).toBe(true);
  });
});
