import { expect, it } from 'vitest';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { batchInfos } from '../../../src/graph/sizes/batch-infos';
import { readModel } from '../../../src/trainer/task/adapted-model';

it.each(['sd', 'sdxl'])('of a U-Net, sizes alone say what a probe finds by running it: %s', async (name) => {
  const { model } = readModel(`test/fixtures/diffusers/${name}/model_index.json`);
  const sizes = new Map(
    model.graph.inputs.map(({ name: input, shape }): [string, number[]] => {
      const open: Record<string, number> = { height: 8, width: 8, sequence: 77 };
      return [input, shape!.slice(1).map((d) => (typeof d === 'number' ? d : open[d as string]!))];
    }),
  );
  const inputs = model.graph.inputs.map((i) => ({ ...i, shape: ['batch', ...sizes.get(i.name)!] }));
  const probed = await probe({ ...model, graph: { ...model.graph, inputs } });
  const found = batchInfos(model.graph, sizes)!;
  for (const [tensor, info] of probed) expect([tensor, found.get(tensor)]).toEqual([tensor, info]);
});
