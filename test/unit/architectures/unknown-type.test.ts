import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../../src/architectures/families/family-registry';
import { MODEL_NAMES } from '../../../src/architectures/families/model-names';
import { Config } from '../../../src/architectures/folder/config';
import { kindOfModel } from '../../../src/architectures/unknown-type/kind-of-model';
import { missingType, unknownType } from '../../../src/architectures/unknown-type/unknown-type';

const config = (values: Record<string, unknown>) => new Config(values, 'org/name/config.json');
const refusal = (values: Record<string, unknown>) => {
  const { kind, message, hint } = unknownType(config(values));
  expect(kind).toBe('model');
  return `${message} | ${hint}`;
};
const LLAMA_LIKE = { vocab_size: 9, num_key_value_heads: 2, rms_norm_eps: 1e-6, rope_theta: 1e4 };

it('model-names.ts has the models of each family, once', () => {
  const named = Object.values(MODEL_NAMES).flatMap((names) => Object.keys(names));
  expect(named.toSorted()).toEqual([...FAMILIES.keys()].toSorted());
  for (const names of [MODEL_NAMES.decoder, MODEL_NAMES.experts])
    for (const type of Object.keys(names)) expect(FAMILIES.get(type), type).toMatchObject({ caches: true });
});

describe('the kind of a model is known by its class and settings', () => {
  it.each([
    ['decoder', { model_type: 'x', architectures: ['MambaForCausalLM'] }],
    ['experts', { model_type: 'x', architectures: ['DbrxForCausalLM'], num_experts: 16 }],
    ['experts', { model_type: 'x', vocab_size: 9, num_local_experts: 8 }],
    ['decoder', { model_type: 'x', architectures: ['XForSequenceClassification'], ...LLAMA_LIKE }],
    ['encoder', { model_type: 'x', architectures: ['XForSequenceClassification'], vocab_size: 9 }],
    ['encoder', { model_type: 'x', architectures: ['XForMaskedLM'] }],
    ['encoder', { model_type: 'x', vocab_size: 9, type_vocab_size: 2, num_key_value_heads: 4 }],
    ['image', { model_type: 'x', architectures: ['ResNetForImageClassification'] }],
    ['image', { model_type: 'x', patch_size: 16 }],
    ['several', { model_type: 'x', architectures: ['XForConditionalGeneration'], vision_config: {} }],
    ['encoder-decoder', { model_type: 'x', architectures: ['XForConditionalGeneration'] }],
    ['encoder-decoder', { model_type: 'x', is_encoder_decoder: true, vocab_size: 9 }],
    ['audio', { model_type: 'x', architectures: ['XForConditionalGeneration'], num_mel_bins: 80 }],
    ['diffusion', { _class_name: 'FluxTransformer2DModel' }],
    [undefined, { model_type: 'x', architectures: 3, is_encoder_decoder: 'yes' }],
  ])('%s: %j', (kind, values) => expect(kindOfModel(config(values))).toBe(kind));
});

describe('a model of another type is refused with a way forward', () => {
  it('by the name without a version, of the same kind, with the command of an export', () => {
    expect(refusal({ model_type: 'phi4flash', architectures: ['Phi4FlashForCausalLM'] })).toMatch(
      /^org\/name\/config\.json: model_type is "phi4flash", which is not supported\. \| Similar and supported: .*"phi3" \(Phi-3-mini.*\)\. optimum-onnx 0\.1 does not export it for any task that can be trained; docs\/models\.md, "Models of other types", lists what an ONNX file needs\.$/,
    );
    expect(refusal({ model_type: 'bert-generation', architectures: ['BertGenerationForMaskedLM'] })).toMatch(
      /Similar and supported: "bert" \(BERT\)/,
    );
    expect(refusal({ model_type: 'convbert', architectures: ['ConvBertForMaskedLM'] })).toMatch(
      /"bert" \(BERT\).* Or export it to ONNX \(docs\/models\.md, "Models of other types"\): optimum-cli export onnx --model org\/name --task feature-extraction OUT$/,
    );
  });

  it('never names a family of another kind', () => {
    expect(refusal({ model_type: 'vit_bert', architectures: ['XForImageClassification'] })).not.toMatch(
      /"bert"/,
    );
    expect(refusal({ model_type: 'whisper', num_mel_bins: 80 })).toMatch(
      /\| No supported model type is similar\. AuroRA Lab trains models of texts and images only\.$/,
    );
  });

  it('by its settings where no name is near', () => {
    expect(refusal({ model_type: 'internlm2', architectures: ['XForCausalLM'], ...LLAMA_LIKE })).toMatch(
      /Similar and supported: "llama" \(.*--task text-generation OUT$/,
    );
    expect(
      refusal({
        model_type: 'codegen',
        architectures: ['X'],
        vocab_size: 9,
        n_embd: 8,
        n_head: 2,
        n_layer: 1,
      }),
    ).toMatch(/Similar and supported: "gpt2" \(GPT-2\)\. Or export/);
    expect(refusal({ model_type: 'mamba', architectures: ['MambaForCausalLM'], n_layer: 1 })).toMatch(
      /No supported model type is similar\. optimum-onnx 0\.1 does not export/,
    );
  });

  it('by the text model of several', () =>
    expect(
      refusal({
        model_type: 'llava',
        architectures: ['LlavaForConditionalGeneration'],
        text_config: { model_type: 'qwen2' },
        vision_config: {},
      }),
    ).toMatch(/Similar and supported: "qwen2" \(Qwen2, Qwen2\.5\)\./));

  it('says that code in the folder is never run', () =>
    expect(refusal({ model_type: 'mystery', auto_map: { AutoModel: 'modeling.X' } })).toMatch(
      /"mystery", which is not supported\. Its own code \(auto_map\) is never run\. \|/,
    ));

  it('of diffusers too', () =>
    expect(refusal({ _class_name: 'FluxTransformer2DModel' })).toMatch(
      /_class_name is "FluxTransformer2DModel".*"Pipelines of diffusers"/,
    ));

  it('quotes a path for the shell, and shows a long name in part', () => {
    const spaced = new Config({ model_type: 'opt_x', vocab_size: 9 }, '/my models/opt/config.json');
    expect(unknownType(spaced).hint).not.toContain('--model');
    const known = new Config({ model_type: 'nystromformer', vocab_size: 9 }, '/my models/n/config.json');
    expect(unknownType(known).hint).toContain("--model '/my models/n' --task");
    expect(refusal({ model_type: 'x'.repeat(5000) }).length).toBeLessThan(500);
  });
});

it('a model without a type is refused with the family whose settings it has', () => {
  const early = { vocab_size: 9, type_vocab_size: 2, layer_norm_eps: 1e-12, intermediate_size: 8 };
  expect(missingType(config(early))).toMatchObject({
    message: 'org/name/config.json has no model_type.',
    hint: expect.stringContaining('add "model_type": "bert"') as string,
  });
  expect(missingType(config({})).hint).toMatch(/^Download/);
});
