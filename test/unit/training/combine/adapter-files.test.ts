import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { encodeSafetensors } from '../../../../src/graph/file/safetensors';
import { pixelConvolutions } from '../../../../src/graph/passes/pixel-convolutions';
import { requireSource, sourceOfFolder } from '../../../../src/training/combine/linear-source';
import { withLinear } from '../../../../src/training/task/adapted-model';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('combine-files');
const source = modelSource(resolve('test/fixtures/diffusers/sd'));
const base = withLinear({ source, original: loadModelFrom(source) });

/** A folder as diffusers writes it, with a LoRA of rank 1 of ones. */
function lora(name: string, path: string, inputs: number, outputs: number, kernel: number[] = []): string {
  const ones = (...dims: number[]) => ({
    dims: [...dims, ...kernel],
    data: new Float32Array(dims[0]! * dims[1]!).fill(1),
  });
  const tensors = new Map([
    [`unet.${path}.lora_A.weight`, ones(1, inputs)],
    [`unet.${path}.lora_B.weight`, ones(outputs, 1)],
  ]);
  const inside = join(folder, name);
  mkdirSync(inside);
  writeFileSync(join(inside, 'pytorch_lora_weights.safetensors'), encodeSafetensors(tensors));
  return inside;
}

it('takes a folder of diffusers, on a linear layer', () => {
  const { path, inFeatures, outFeatures } = base.layers.find((layer) => layer.path.endsWith('to_q'))!;
  const given = lora('linear', path, inFeatures, outFeatures);
  expect(() => requireSource(given)).not.toThrow();
  expect([...sourceOfFolder(given, base).modules.keys()]).toEqual([path]);
});

it('finds the convolution of single pixels that an adapter is on, and leaves the model as it is', () => {
  const path = [...pixelConvolutions(base.original.graph).keys()].find((p) => p.endsWith('proj_in'))!;
  const { inFeatures, outFeatures } = withLinear(base, new Set([path])).layers.find((l) => l.path === path)!;
  const given = lora('convolution', path, inFeatures, outFeatures, [1, 1]);
  const { modules } = sourceOfFolder(given, base);
  expect([...modules]).toMatchObject([[path, { rank: 1, inFeatures, outFeatures }]]);
  expect(base.layers.some((layer) => layer.path === path)).toBe(false);
});

it('refuses a folder and a file that are not there', () => {
  mkdirSync(join(folder, 'empty'));
  for (const name of ['empty', 'missing.safetensors'])
    expect(() => requireSource(join(folder, name))).toThrow('neither a run nor a folder with');
});
