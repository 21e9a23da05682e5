import { parameterCount } from '../../../src/adapters/stored-tensors';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SDXL_CONFIG, unetWeights } from '../../../scripts/lib/bench/sdxl-unet.mjs';
import { budgetOf } from '../../../src/adapters/budget/budget';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import type { AdapterSpec } from '../../../src/experiment/methods';
import { findLinearLayers, type LinearLayer } from '../../../src/graph/layers/linear';
import { elementCount, type Model } from '../../../src/graph/model';
import { prepareModel } from '../../../src/graph/prepare';
import { SDXL } from '../../../src/recipes/model-shapes';
import { scratchFolder } from '../../scratch';
import { auroraSpec, loraSpec } from '../specs';

const folder = scratchFolder('sdxl');
let model: Model;
let layers: LinearLayer[];

beforeAll(() => {
  const unet = join(folder, 'unet');
  mkdirSync(unet);
  writeFileSync(join(unet, 'config.json'), JSON.stringify(SDXL_CONFIG));
  writeHeader(join(unet, 'diffusion_pytorch_model.safetensors'));
  model = prepareModel(loadModelFrom(modelSource(unet), 'structure'));
  layers = findLinearLayers(model.graph);
});

/** Its weights in float16 as an empty file of 5.1 GB, which takes no space on most file systems. */
function writeHeader(path: string): void {
  let end = 0;
  const entries = unetWeights().map(([name, shape]) => {
    const start = end;
    end += 2 * elementCount(shape);
    return [name, { dtype: 'F16', shape, data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([size, header]));
  truncateSync(path, size.length + header.length + end);
}

/** As the trainer counts it. */
const trained = (spec: AdapterSpec) =>
  parameterCount(selectAdapters(model.graph, layers, spec, 'out_sample').adapters);

describe('the exact U-Net of SDXL', () => {
  it('has the published number of parameters, all of which the graph reads', () => {
    const weights = unetWeights();
    expect(weights.reduce((sum, [, shape]) => sum + elementCount(shape), 0)).toBe(SDXL.parameters);
    expect(weights.map(([name]) => name).filter((name) => !model.graph.initializers.has(name))).toEqual([]);
  });

  it.each([
    ['AuroRA r=2', auroraSpec({ targetModules: SDXL.targets, rank: 2 })],
    ['LoRA r=4', loraSpec({ targetModules: SDXL.targets, rank: 4 })],
  ])('trains as many parameters as the calculator says: %s', (_, spec) => {
    const { adapter, modules } = budgetOf(SDXL.modules, spec, {
      loraRank: SDXL.loraRank,
      tokens: 1,
      modelParameters: SDXL.parameters,
    });
    expect(modules).toHaveLength(560);
    expect(trained(spec)).toBe(adapter.parameters);
  });

  it('has the calculator’s layers at the same places, of the same sizes', () => {
    const found = new Map(
      layers.map(({ path, inFeatures, outFeatures }) => [path, [inFeatures, outFeatures]]),
    );
    for (const { path, inFeatures, outFeatures } of SDXL.modules)
      expect([path, found.get(path)]).toEqual([path, [inFeatures, outFeatures]]);
  });
});
