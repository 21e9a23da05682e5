import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { loadModel } from '../../../src/graph/file/load';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import type { Model } from '../../../src/graph/model';
import { prepareModel } from '../../../src/graph/prepare';
import { quantizedCopy } from '../../../src/quantize/cached';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('quantized-unet');
const count = ({ graph }: Model, type: string) => graph.nodes.filter((n) => n.opType === type).length;
const sizes = (model: Model) =>
  findLinearLayers(prepareModel(model).graph).map(({ path, inFeatures, outFeatures }) => [
    path,
    inFeatures,
    outFeatures,
  ]);

describe('a U-Net in few bits', () => {
  it.each([
    ['sd', 8],
    ['sdxl', 4],
  ] as const)('has all of its linear layers and none of its convolutions in them: %s, %d', (name, bits) => {
    const path = resolve('test/fixtures/diffusers', name);
    const [before, after] = [
      loadModelFrom(modelSource(path)),
      loadModel(quantizedCopy(modelSource(path), bits, join(folder, name))),
    ];
    expect(sizes(after)).toEqual(sizes(before));
    expect(count(after, 'MatMulNBits')).toBe(sizes(before).length);
    expect(count(after, 'Conv')).toBe(count(before, 'Conv'));
  });

  it('is made again if the settings of the U-Net change', () => {
    const path = join(folder, 'changed');
    cpSync(resolve('test/fixtures/diffusers/sd'), path, { recursive: true });
    const made = () => dirname(quantizedCopy(modelSource(path), 8, join(folder, 'copies')));
    const first = made();
    expect(made()).toBe(first);
    const config = join(path, 'unet/config.json');
    const settings = JSON.parse(readFileSync(config, 'utf8')) as object;
    writeFileSync(config, JSON.stringify({ ...settings, norm_eps: 1e-6 }));
    expect(made()).not.toBe(first);
  });
});
