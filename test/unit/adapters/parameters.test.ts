import { describe, expect, it } from 'vitest';
import { methodOf } from '../../../src/adapters/methods/registry';
import type { AuroraSpec, LoraSpec } from '../../../src/experiment/methods';
import { auroraSpec, loraSpec, onLayer } from '../specs';

const aurora = auroraSpec({ targetModules: 'all-linear' });
const lora = (rank: number) => loraSpec({ targetModules: 'all-linear', rank, alpha: 2 * rank });

const parameters = (spec: AuroraSpec | LoraSpec, inFeatures: number, outFeatures: number): number =>
  methodOf(spec)
    .tensors(onLayer(spec, inFeatures, outFeatures))
    .reduce((n, t) => n + t.dims.reduce((a, b) => a * b, 1), 0);

/** LLaMA3-8B: q 4096→4096, k and v 4096→1024, up 4096→14336, down the reverse; 32 layers. */
const llama = (spec: AuroraSpec | LoraSpec): number =>
  32 *
  (parameters(spec, 4096, 4096) +
    2 * parameters(spec, 4096, 1024) +
    parameters(spec, 4096, 14336) +
    parameters(spec, 14336, 4096));

describe('trainable parameters match the paper', () => {
  it.each([
    ['RoBERTa-Base and ViT-Base, q and v', 24, 768, 74_208, 294_912, 589_824],
    ['RoBERTa-Large and ViT-Large, q and v', 48, 1024, 197_568, 786_432, 1_572_864],
  ])('%s', (_, modules, width, auroraTotal, lora8, lora16) => {
    expect(modules * parameters(aurora, width, width)).toBe(auroraTotal);
    expect(modules * parameters(lora(8), width, width)).toBe(lora8);
    expect(modules * parameters(lora(16), width, width)).toBe(lora16);
  });

  it('LLaMA3-8B, q, k, v, up and down', () => {
    expect(llama(aurora)).toBe(3_542_144);
    expect(llama(lora(32))).toBe(56_623_104);
  });

  it('exclude the tensor of a part that is switched off', () => {
    expect(parameters({ ...aurora, fixed: false }, 768, 768)).toBe(2 * 1536 + 16);
    expect(parameters({ ...aurora, learnable: false }, 768, 768)).toBe(2 * 1536 + 4);
  });
});
