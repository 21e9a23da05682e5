import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { likelyTargets, selectAdapters } from '../../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { adapterDefaults } from '../../../../src/experiment/adapter-defaults';
import type { TrainedSpec } from '../../../../src/experiment/methods';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { prepareModel } from '../../../../src/graph/prepare';
import { answerOf, inputSizes, fixedModel, stepGraph } from '../../../../src/checks/cost/step-graph';
import { scratchFolder } from '../../../scratch';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');
const folder = scratchFolder('step-graph');

/** Models with other operators. */
const MODELS = [
  'hf/llama',
  'hf/vit',
  'reference/bert.onnx',
  ...['conformer', 'deberta', 'gemma', 'neox', 'past-gpt2', 't5'].map(
    (name) => `reference/more/${name}.onnx`,
  ),
];

describe('the sizes of a step, which are known without running it, are those of ONNX Runtime', () => {
  it.each(MODELS)('%s', async (path) => {
    const model = prepareModel(loadModelFrom(modelSource(join(FIXTURES, path))));
    const layers = findLinearLayers(model.graph);
    const inputs = inputSizes(model.graph, { batch: 2, length: 7 });
    const fixed = fixedModel(model, inputs);
    const answer = answerOf(fixed);
    const likely = likelyTargets(layers);
    const targetModules = likely.length > 0 ? likely : 'all-linear';
    const spec = { ...adapterDefaults('aurora'), targetModules } as unknown as TrainedSpec;
    const { adapters } = selectAdapters(model.graph, layers, spec, answer.output);
    const { graph, infos } = stepGraph(fixed, { ...answer, adapters }, inputs);

    const sized = graph.inputs.map((i) => ({ ...i, shape: infos.get(i.name)!.shape }));
    const measured = await probe({ ...model, graph: { ...graph, inputs: sized } }, folder);
    const names = graph.nodes.flatMap((n) => n.outputs).filter((y) => y !== '');
    expect(names.length).toBeGreaterThan(100);
    const of = (from: typeof measured) => names.map((y) => ({ y, ...from.get(y)! }));
    expect(of(infos)).toEqual(of(measured));
  });
});
