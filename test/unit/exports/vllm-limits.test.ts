import { describe, expect, it } from 'vitest';
import { limitsText, unmetLimits, type VllmFacts, vllmLimits } from '../../../src/protocol/vllm-limits';

const KEPT: VllmFacts = {
  modelType: 'llama',
  rank: 16,
  hasOwnScales: false,
  outputLayers: [],
  hasBias: false,
  isDora: false,
  hasHead: false,
};
const unmet = (facts: Partial<VllmFacts>) =>
  vllmLimits({ ...KEPT, ...facts })
    .filter(({ met }) => !met)
    .map(({ limit }) => limit);

describe('the limits of vLLM', () => {
  it('are all kept by a plain LoRA of rank 16 on Llama', () => {
    expect(unmet({})).toEqual([]);
    expect(limitsText(vllmLimits(KEPT))).toMatch(/^vLLM: within its limits \(llama takes a LoRA; rank 16/);
  });

  it.each<[string, Partial<VllmFacts>]>([
    ['model', { modelType: 'gpt2' }],
    ['model', { modelType: 'gpt_neox' }],
    ['rank', { rank: 17 }],
    ['target_modules', { outputLayers: ['lm_head'] }],
    ['alpha_pattern', { hasOwnScales: true }],
    ['lora_bias', { hasBias: true }],
    ['modules_to_save', { hasHead: true }],
    ['use_dora', { isDora: true }],
  ])('%s: %j', (limit, facts) => {
    expect(unmet(facts)).toEqual([limit]);
  });

  it.each([
    [17, '--max-lora-rank 32'],
    [129, '--max-lora-rank 256'],
    [300, '--max-lora-rank 320'],
    [512, '--max-lora-rank 512'],
    [513, 'no rank above 512'],
  ])('name the way to serve rank %i', (rank, words) => {
    const [sentence] = unmetLimits(vllmLimits({ ...KEPT, rank }));
    expect(sentence).toContain(words);
  });
});
