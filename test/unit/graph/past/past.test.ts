import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openForward } from '../../../../src/engine/open-task';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { loadModel } from '../../../../src/graph/file/load';
import type { HostTensors } from '../../../../src/graph/tensor-infos';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../../../../src/graph/model';
import { cacheInputs, withoutPast } from '../../../../src/graph/without-past';
import { lastLogits, withPast } from '../../../../src/graph/with-past';
import { prepareModel } from '../../../../src/graph/prepare';
import { readsOf } from '../../../../src/graph/reads';
import { summarize } from '../../../../src/graph/summary';
import { scratchFolder } from '../../../scratch';

const load = (name: string) => loadModel(resolve(`test/fixtures/reference/more/${name}.onnx`));
const names = (values: { name: string }[]) => values.map((v) => v.name);
const folder = scratchFolder('past');

describe('a decoder with a key/value cache', () => {
  it.each([
    ['past-gpt2', ['input_ids', 'attention_mask', 'position_ids']],
    ['past-llama', ['input_ids', 'attention_mask', 'position_ids']],
    ['past-counted', ['input_ids', 'attention_mask']],
    ['past-merged', ['input_ids', 'attention_mask']],
  ])('is prepared as one without: %s', (name, inputs) => {
    const original = load(name);
    const { graph } = prepareModel(original);
    expect(names(graph.inputs)).toEqual(inputs);
    expect(names(graph.outputs)).toEqual(['logits']);
    // The mask is as long as the text.
    expect(graph.inputs[1].shape).toEqual(graph.inputs[0].shape);
    const past = names(cacheInputs(original.graph).map((c) => c.input));
    expect(past.length).toBeGreaterThan(0);
    expect(graph.nodes.filter((n) => readsOf(n).some((x) => past.includes(x)))).toEqual([]);
    // Nothing is joined with an empty tensor in its place.
    expect(graph.nodes.filter((n) => n.opType === 'Concat' && n.inputs.length === 1)).toEqual([]);
    expect(graph.nodes.filter((n) => n.name.startsWith('/empty'))).toEqual([]);
  });

  it('is described with its cache', () => {
    const { inputs, outputs, cachedLayers } = summarize(load('past-gpt2'));
    expect(names(inputs)).toEqual(['input_ids', 'attention_mask', 'position_ids']);
    expect(names(outputs)).toEqual(['logits']);
    expect(cachedLayers).toBe(2);
    expect(summarize(load('gpt2'))).not.toHaveProperty('cachedLayers');
  });

  it('can compute the logits of the last token alone', () => {
    const { graph } = lastLogits(withPast(load('past-gpt2')), 'logits');
    const product = graph.nodes.find((n) => n.outputs[0] === 'logits')!;
    expect(graph.nodes.find((n) => n.outputs[0] === product.inputs[0])).toMatchObject({ opType: 'Gather' });
    const kept = lastLogits(withPast(load('past-llama')), 'logits').graph;
    expect(names(kept.inputs)).not.toContain('num_logits_to_keep');
  });

  it('has the numbers of an empty cache where that is more than joined', async () => {
    const model = unusual();
    const text: HostTensors = {
      input_ids: { dtype: DType.int64, dims: [2, 3], data: BigInt64Array.from([1n, 2n, 3n, 4n, 5n, 6n]) },
    };
    const empty = { dtype: DType.float, dims: [2, 2, 0, 3], data: new Float32Array(0) };
    const run = async (of: Model, feeds: HostTensors) =>
      (await openForward(of, ['present.0.key', 'sizes'], mkdtempSync(join(folder, 'run')))).run(feeds);
    const before = await run(model, { ...text, 'past_key_values.0.key': empty });
    const without = withoutPast(model, true);
    expect(names(without.graph.inputs)).toEqual(['input_ids']);
    expect(await run(without, text)).toEqual(before);
  });

  it('stays as it is in another form', () => {
    const model = unusual();
    const other = { ...model.graph.inputs[1], name: 'past_key_values.0.decoder.key' };
    const graph = { ...model.graph, inputs: [...model.graph.inputs, other] };
    expect(withoutPast({ ...model, graph }).graph).toBe(graph);
    expect(withoutPast(load('gpt2')).graph.inputs).toHaveLength(2);
  });
});

/** A graph that scales a cache before it is joined, and returns its sizes. */
function unusual(): Model {
  const graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/t');
  const ids = g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  const past = g.addInput('past_key_values.0.key', DType.float, ['batch', 2, 'past', 3]);
  const values = g.op('Unsqueeze', [g.op('Cast', [ids], { to: DType.float }), g.ints([1, 3])]);
  const fresh = g.op('Expand', [values, g.ints([1, 2, 1, 3])]);
  const scaled = g.op('Mul', [g.op('Cast', [past], { to: DType.float }), g.scalar(2, DType.float)]);
  g.op('Concat', [scaled, fresh], { axis: 2 }, { outputs: ['present.0.key'] });
  g.op('Concat', [g.op('Shape', [past]), g.op('Shape', [scaled])], { axis: 0 }, { outputs: ['sizes'] });
  g.addOutput('present.0.key');
  g.addOutput('sizes');
  const opsets = new Map([['', INTERNAL_OPSET]]);
  return { irVersion: INTERNAL_IR_VERSION, producer: '', opsets, graph, metadata: new Map() };
}
