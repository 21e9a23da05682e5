import { expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { probe, statedInfos } from '../../../src/engine/onnxruntime/probe';
import { batchInfos } from '../../../src/graph/sizes/batch-infos';
import type { Dim } from '../../../src/graph/model';
import { buildTaskGraph } from '../../../src/tasks/task-graph';
import { readModel } from '../../../src/training/task/adapted-model';
import { auroraSpec } from '../specs';

/** Sizes of one example. */
function exactly(shape: readonly Dim[]): number[] {
  const open: Record<string, number> = { height: 8, width: 8, sequence: 77 };
  return shape.slice(1).map((d) => (typeof d === 'number' ? d : open[d as string]!));
}

it.each(['sd', 'sdxl'])('of a U-Net, sizes alone say what a probe finds by running it: %s', async (name) => {
  const { model } = readModel(modelSource(`test/fixtures/diffusers/${name}/model_index.json`));
  const sizes = new Map(model.graph.inputs.map(({ name: input, shape }) => [input, exactly(shape!)]));
  const inputs = model.graph.inputs.map((i) => ({ ...i, shape: ['batch', ...sizes.get(i.name)!] }));
  const probed = await probe({ ...model, graph: { ...model.graph, inputs } });
  const found = batchInfos(model.graph, sizes)!;
  for (const [tensor, info] of probed) expect([tensor, found.get(tensor)]).toEqual([tensor, info]);
});

it.each(['sd', 'sdxl'])('of a step on a U-Net, too, whose inputs state them: %s', async (name) => {
  const { model, layers } = readModel(modelSource(`test/fixtures/diffusers/${name}/model_index.json`));
  const sizes = new Map(model.graph.inputs.map(({ name: input, shape }) => [input, exactly(shape!)]));
  const spec = auroraSpec({ targetModules: ['to_q', 'to_out.0'] });
  const { adapters } = selectAdapters(model.graph, layers, spec, 'out_sample');
  const infos = batchInfos(model.graph, sizes)!;
  const task = { objective: 'noise-mse', output: 'out_sample', adapters } as const;
  const { model: whole } = buildTaskGraph(model, infos, task, true, true);
  const found = statedInfos(whole)!;
  for (const [tensor, info] of await probe(whole))
    expect([tensor, found.get(tensor)]).toEqual([tensor, info]);
});

it.each(['bert', 'deberta-v3', 'llama', 't5'])('of a step on a text model, too: %s', async (name) => {
  const { model, layers } = readModel(modelSource(`test/fixtures/hf/${name}`));
  const infos = await probe(model);
  const [output] = model.graph.outputs;
  const { adapters } = selectAdapters(
    model.graph,
    layers,
    auroraSpec({ targetModules: 'all-linear' }),
    output!.name,
  );
  const head = { pooling: 'mean', classes: 3, weight: 'head.weight', bias: 'head.bias' } as const;
  const task = { objective: 'cross-entropy', output: output!.name, adapters, head } as const;
  const { model: whole } = buildTaskGraph(model, infos, task, true, true);
  const found = statedInfos(whole)!;
  for (const [tensor, info] of await probe(whole))
    expect([tensor, found.get(tensor)]).toEqual([tensor, info]);
});
