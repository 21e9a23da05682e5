import { describe, expect, it } from 'vitest';
import { budgetOf } from '../../../src/adapters/budget/budget';
import { PAPER_MODELS } from '../../../src/recipes/model-shapes';
import type { AuroraSpec } from '../../../src/experiment/methods';
import { auroraSpec } from '../specs';

const model = (id: string) => PAPER_MODELS.find((m) => m.id === id)!;
const budget = (id: string, loraRank: number, over: Partial<AuroraSpec> = {}) =>
  budgetOf(model(id).modules, auroraSpec({ targetModules: model(id).targets, ...over }), {
    loraRank,
    tokens: 1,
    modelParameters: model(id).parameters,
  });

describe("the paper's parameter counts", () => {
  it.each([
    ['roberta-base', 24, 74_208, 8, 294_912],
    ['vit-base', 24, 74_208, 16, 589_824],
    ['roberta-large', 48, 197_568, 8, 786_432],
    ['vit-large', 48, 197_568, 16, 1_572_864],
    ['llama3-8b', 160, 3_542_144, 32, 56_623_104],
  ])('match for %s', (id, modules, aurora, loraRank, lora) => {
    const b = budget(id, loraRank);
    expect([b.modules.length, b.adapter.parameters, b.lora.parameters]).toEqual([modules, aurora, lora]);
    expect(b.warnings).toEqual([]);
  });

  it('are 6.26% of LoRA r=32 on LLaMA3-8B and 25.2% and 25.1% of r=8 on RoBERTa', () => {
    const share = (id: string, rank: number) => {
      const { adapter, lora } = budget(id, rank);
      return ((100 * adapter.parameters) / lora.parameters).toFixed(2);
    };
    expect(share('llama3-8b', 32)).toBe('6.26');
    expect(share('roberta-base', 8)).toBe('25.16');
    expect(share('roberta-large', 8)).toBe('25.12');
  });
});

describe('the readings of the spline', () => {
  /** For rank 2, 4, 8 and 16: a spline that is shared or per dimension, and one per pair (docs/methods.md). */
  it.each([
    [
      ['roberta-base', 'vit-base'],
      [74_208, 148_608, 297_984, 599_040],
      [74_592, 150_912, 308_736, 645_120],
    ],
    [
      ['roberta-large', 'vit-large'],
      [197_568, 395_520, 792_576, 1_591_296],
      [198_336, 400_128, 814_080, 1_683_456],
    ],
    [
      ['llama3-8b'],
      [3_542_144, 7_085_568, 14_176_256, 28_372_992],
      [3_544_704, 7_100_928, 14_247_936, 28_680_192],
    ],
    [
      ['sdxl'],
      [2_914_240, 5_832_960, 11_683_840, 23_439_360],
      [2_923_200, 5_886_720, 11_934_720, 24_514_560],
    ],
  ])('have their counts on %s', (ids, shared, pairs) => {
    const counts = (id: string, spline: AuroraSpec['spline']) =>
      [2, 4, 8, 16].map((rank) => budget(id, 8, { rank, spline }).adapter.parameters);
    for (const id of ids) {
      expect(counts(id, 'shared')).toEqual(shared);
      expect(counts(id, 'per-dimension')).toEqual(shared);
      expect(counts(id, 'per-pair')).toEqual(pairs);
    }
  });
});

describe("the shapes of the paper's models", () => {
  it.each([
    ['roberta-base', 124_055_040],
    ['roberta-large', 354_310_144],
    ['vit-base', 85_798_656],
    ['vit-large', 303_301_632],
    ['llama3-8b', 8_030_261_248],
    ['sdxl', 2_567_463_684],
  ])('give %s the parameters of the published checkpoint', (id, parameters) => {
    expect(model(id).parameters).toBe(parameters);
  });

  it('give the U-Net of SDXL 70 blocks with 560 attention projections, and its published total', () => {
    expect(budget('sdxl', 4).modules.length).toBe(560);
    expect(model('sdxl').modules.filter((m) => m.path.endsWith('ff.net.2')).length).toBe(70);
    expect(convolutionsOfSdxl() + transformersOfSdxl()).toBe(model('sdxl').parameters);
  });

  it(`exclude the language model's output layer from "all-linear"`, () => {
    const b = budget('llama3-8b', 8, { targetModules: 'all-linear' });
    expect([b.modules.length, b.layers]).toEqual([224, 225]);
  });

  it('have a source and targets that all match', () => {
    for (const m of PAPER_MODELS) {
      expect(m.source).toMatch(/arXiv \d{4}\.\d{5}/);
      expect(new Set(m.modules.map((l) => l.path)).size).toBe(m.modules.length);
      expect(budget(m.id, m.loraRank).warnings).toEqual([]);
    }
  });
});

/** Our layers plus the biases and norms that the list omits; attention's q, k and v have no bias. */
const transformersOfSdxl = (): number =>
  model('sdxl').modules.reduce((sum, { path, inFeatures, outFeatures }) => {
    const bias = /to_[qkv]$/.test(path) ? 0 : outFeatures;
    // One group norm per transformer, and three layer norms per block.
    const norms = path.endsWith('proj_in')
      ? 2 * inFeatures
      : path.endsWith('ff.net.2')
        ? 3 * 2 * outFeatures
        : 0;
    return sum + inFeatures * outFeatures + bias + norms;
  }, 0);

/** Convolutions, residual blocks and embeddings of the U-Net. */
function convolutionsOfSdxl(): number {
  const convolution = (i: number, o: number, k = 3) => i * o * k * k + o;
  const dense = (i: number, o: number) => i * o + o;
  const residual = (i: number, o: number) =>
    2 * i +
    convolution(i, o) +
    dense(1280, o) +
    2 * o +
    convolution(o, o) +
    (i === o ? 0 : convolution(i, o, 1));
  const residuals = [
    ...[
      [320, 320],
      [320, 320],
      [320, 640],
      [640, 640],
      [640, 1280],
      [1280, 1280],
      [1280, 1280],
      [1280, 1280],
    ],
    ...[
      [2560, 1280],
      [2560, 1280],
      [1920, 1280],
      [1920, 640],
      [1280, 640],
      [960, 640],
      [960, 320],
      [640, 320],
    ],
    [640, 320],
  ];
  return (
    convolution(4, 320) +
    dense(320, 1280) +
    dense(1280, 1280) +
    dense(2816, 1280) +
    dense(1280, 1280) +
    residuals.reduce((n, [i, o]) => n + residual(i, o), 0) +
    [320, 640, 1280, 640].reduce((n, width) => n + convolution(width, width), 0) +
    2 * 320 +
    convolution(320, 4)
  );
}
