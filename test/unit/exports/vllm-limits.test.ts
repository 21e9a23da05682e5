import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { limitsInVllm } from '../../../src/exports/vllm-facts';
import type { ExportForm } from '../../../src/protocol/export';
import { limitsText, unmetLimits, type VllmFacts, vllmLimits } from '../../../src/protocol/vllm-limits';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { adaptModel } from '../../../src/training/task/adapted-model';
import type { Task } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';

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

describe('the limits for an export', () => {
  const lab = new Lab();
  afterAll(() => lab.remove());
  const LANGUAGE = ['task={"type":"causal-language-modeling"}', 'training.metric=perplexity'];

  /** The unmet ones of an adapter on a model; undefined if the export is not for vLLM. */
  function unmetOf(model: string, adapter: object, form: ExportForm = 'peft-lora', settings = LANGUAGE) {
    const spec = loadExperiment(lab.experiment, [
      `model.path=${model}`,
      'model.maxLength=4',
      `adapter=${JSON.stringify({ method: 'lora', rank: 2, alpha: 4, ...adapter })}`,
      ...settings,
    ]);
    const task = { spec, head: spec.task.head === 'linear' ? {} : undefined, ...adaptModel(spec) };
    const limits = limitsInVllm(form, task as unknown as Task);
    return limits?.filter(({ met }) => !met).map(({ limit }) => limit);
  }
  const folder = (name: string) => join(resolve('test/fixtures/hf'), name);

  it.each<[string, string, object, string[]]>([
    ['a plain LoRA', 'llama', { targetModules: ['q_proj'] }, []],
    ['a rank above the default', 'llama', { targetModules: ['down_proj'], rank: 17 }, ['rank']],
    ['a head for language', 'llama', { targetModules: ['lm_head'] }, ['target_modules']],
    ['DoRA', 'llama', { targetModules: ['q_proj'], method: 'dora' }, ['use_dora']],
    ['a bias', 'qwen2-tied', { targetModules: ['q_proj'], loraBias: true }, ['lora_bias']],
    ['GPT-2', 'gpt2', { targetModules: ['c_attn'] }, ['model']],
    [
      'an alpha of one layer',
      'llama',
      { targetModules: ['q_proj'], alphaPattern: { 'layers.0.self_attn.q_proj': 8 } },
      ['alpha_pattern'],
    ],
    [
      'a rank of one layer, whose alpha differs as much',
      'llama',
      {
        targetModules: ['q_proj'],
        rankPattern: { 'layers.0.self_attn.q_proj': 1 },
        alphaPattern: { 'layers.0.self_attn.q_proj': 2 },
      },
      [],
    ],
  ])('on %s', (_, model, adapter, wanted) => {
    expect(unmetOf(folder(model), adapter)).toEqual(wanted);
  });

  it('include a trained head', () => {
    const own = ['task={"type":"text-classification","head":"linear"}', 'training.metric=accuracy'];
    expect(unmetOf(folder('llama'), { targetModules: ['q_proj'] }, 'peft-lora', own)).toEqual([
      'modules_to_save',
    ]);
  });

  it('are stated only for adapters that PEFT loads, on decoders', () => {
    const query = { targetModules: ['query'] };
    const classes = ['task={"type":"text-classification","head":"linear"}', 'training.metric=accuracy'];
    expect(unmetOf(folder('bert'), query, 'peft-lora', classes)).toBeUndefined();
    expect(unmetOf(lab.path('model.onnx'), query, 'peft-lora', classes)).toBeUndefined();
    const target = { targetModules: ['q_proj'] };
    expect(unmetOf(folder('llama'), target, 'adapter')).toEqual([]);
    expect(unmetOf(folder('llama'), target, 'safetensors')).toBeUndefined();
    expect(unmetOf(folder('llama'), { ...target, method: 'aurora' }, 'adapter')).toBeUndefined();
  });
});
