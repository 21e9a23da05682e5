import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSafetensors, readSafetensors, type FloatTensor } from '../../../src/graph/file/safetensors';
import { writeAtomic } from '../../../src/files/atomic';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { readPeftAdapter, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { fitAdapter } from '../../../src/peft/fit';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { adaptModel } from '../../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { Lab } from '../../cli/lab';
import { bertConfig, bertTensors, Folders, safetensors } from '../architectures/folders';
import { DISTILBERT, distilbertTensors } from '../architectures/distilbert';
import { LLAMA, llamaTensors, QWEN2_BIASES } from '../architectures/llama';

const lab = new Lab();
const folders = new Folders();
afterAll(() => {
  lab.remove();
  folders.remove();
});
const made = (config: object, tensors: Parameters<typeof safetensors>[0]) => () =>
  folders.make({ 'config.json': { ...config }, 'model.safetensors': safetensors(tensors) });
const fixture = (name: string) => () => resolve('test/fixtures/hf', name);

/** A target, its module in transformers' class for the task, and whether that is a Conv1D. */
const FAMILIES: [name: string, folder: () => string, target: string, module: string, conv1d?: boolean][] = [
  ['BERT', fixture('bert'), 'query', 'bert.encoder.layer.0.attention.self.query'],
  [
    'RoBERTa',
    made(bertConfig({ model_type: 'roberta' }), bertTensors('F32', 'roberta.')),
    'query',
    'roberta.encoder.layer.0.attention.self.query',
  ],
  [
    'a base model without a prefix',
    made(bertConfig(), bertTensors('F32', '')),
    'query',
    'bert.encoder.layer.0.attention.self.query',
  ],
  [
    'DistilBERT',
    made(DISTILBERT, distilbertTensors()),
    'q_lin',
    'distilbert.transformer.layer.0.attention.q_lin',
  ],
  ['ViT', fixture('vit'), 'query', 'vit.encoder.layer.0.attention.attention.query'],
  ['Llama', fixture('llama'), 'q_proj', 'model.layers.0.self_attn.q_proj'],
  ['a head for language', fixture('llama'), 'lm_head', 'lm_head'],
  [
    'Mistral',
    made({ ...LLAMA, model_type: 'mistral' }, llamaTensors()),
    'up_proj',
    'model.layers.0.mlp.up_proj',
  ],
  [
    'Qwen2',
    made({ ...LLAMA, model_type: 'qwen2' }, llamaTensors(2, QWEN2_BIASES)),
    'v_proj',
    'model.layers.0.self_attn.v_proj',
  ],
  ['GPT-2', fixture('gpt2'), 'c_attn', 'transformer.h.0.attn.c_attn', true],
  ['XLM-RoBERTa', fixture('xlm-roberta'), 'value', 'roberta.encoder.layer.0.attention.self.value'],
  ['ELECTRA', fixture('electra'), 'query', 'electra.encoder.layer.0.attention.self.query'],
  ['MPNet', fixture('mpnet'), 'q', 'mpnet.encoder.layer.0.attention.attn.q'],
  [
    'ALBERT',
    fixture('albert'),
    'query',
    'albert.encoder.albert_layer_groups.0.albert_layers.0.attention.query',
  ],
  ['DeBERTa', fixture('deberta-v3'), 'query_proj', 'deberta.encoder.layer.0.attention.self.query_proj'],
  ['DeBERTa of 2020', fixture('deberta-mlm'), 'in_proj', 'deberta.encoder.layer.0.attention.self.in_proj'],
  ['NomicBERT', fixture('nomic-bert-mlm'), 'fc11', 'bert.encoder.layers.0.mlp.fc11'],
  ['EuroBERT', fixture('eurobert-mlm'), 'q_proj', 'model.layers.0.self_attn.q_proj'],
  ['RoFormer', fixture('roformer-mlm'), 'query', 'roformer.encoder.layer.0.attention.self.query'],
  ['ERNIE', fixture('ernie-mlm'), 'value', 'ernie.encoder.layer.0.attention.self.value'],
  ['RemBERT', fixture('rembert-mlm'), 'query', 'rembert.encoder.layer.0.attention.self.query'],
  ['Megatron-BERT', fixture('megatron-bert-mlm'), 'key', 'bert.encoder.layer.0.attention.self.key'],
  ['MobileBERT', fixture('mobilebert-mlm'), 'query', 'mobilebert.encoder.layer.0.attention.self.query'],
  ['BART', fixture('bart-encoder'), 'fc1', 'model.encoder.layers.0.fc1'],
  ['mBART', fixture('mbart-encoder'), 'out_proj', 'model.encoder.layers.0.self_attn.out_proj'],
  ['ModernBERT', fixture('modernbert'), 'Wqkv', 'model.layers.0.attn.Wqkv'],
  ['T5', fixture('t5'), 'q', 'transformer.encoder.block.0.layer.0.SelfAttention.q'],
  ['DeiT', fixture('deit'), 'query', 'deit.encoder.layer.0.attention.attention.query'],
  ['DINOv2', fixture('dinov2'), 'query', 'dinov2.encoder.layer.0.attention.attention.query'],
  [
    'DINOv2 with registers',
    fixture('dinov2-registers'),
    'query',
    'dinov2_with_registers.encoder.layer.0.attention.attention.query',
  ],
  ['Swin', fixture('swin'), 'query', 'swin.encoder.layers.0.blocks.0.attention.self.query'],
  ['CLIP', fixture('clip-text'), 'q_proj', 'text_model.encoder.layers.0.self_attn.q_proj'],
  ['SigLIP', fixture('siglip-cls'), 'q_proj', 'vision_model.encoder.layers.0.self_attn.q_proj'],
  ['SigLIP 2', fixture('siglip2-cls'), 'fc1', 'vision_model.encoder.layers.0.mlp.fc1'],
  ['DINOv3', fixture('dinov3-vit'), 'q_proj', 'layer.0.attention.q_proj'],
  ['BEiT', fixture('beit-cls'), 'query', 'beit.encoder.layer.0.attention.attention.query'],
  ['ConvNeXT', fixture('convnext-cls'), 'pwconv1', 'convnext.encoder.stages.0.layers.0.pwconv1'],
  ['ViTMAE', fixture('vit-mae'), 'value', 'vit.encoder.layer.0.attention.attention.value'],
  ['Qwen3', fixture('qwen3-heads'), 'k_proj', 'model.layers.0.self_attn.k_proj'],
  ['Gemma', fixture('gemma-first'), 'o_proj', 'model.layers.0.self_attn.o_proj'],
  ['Gemma 2', fixture('gemma2'), 'gate_proj', 'model.layers.0.mlp.gate_proj'],
  ['Gemma 3', fixture('gemma3'), 'q_proj', 'model.layers.0.self_attn.q_proj'],
  ['Phi-3', fixture('phi3-long'), 'qkv_proj', 'model.layers.0.self_attn.qkv_proj'],
  ['SmolLM3', fixture('smollm3'), 'q_proj', 'model.layers.0.self_attn.q_proj'],
  ['Granite', fixture('granite'), 'k_proj', 'model.layers.0.self_attn.k_proj'],
  ['StarCoder2', fixture('starcoder2'), 'c_fc', 'model.layers.0.mlp.c_fc'],
  ['OLMo 2', fixture('olmo2'), 'down_proj', 'model.layers.0.mlp.down_proj'],
  ['GPT-NeoX', fixture('gpt-neox'), 'query_key_value', 'gpt_neox.layers.0.attention.query_key_value'],
  ['Phi', fixture('phi'), 'dense', 'model.layers.0.self_attn.dense'],
  ['Command R', fixture('cohere'), 'o_proj', 'model.layers.0.self_attn.o_proj'],
  ['Nemotron', fixture('nemotron'), 'up_proj', 'model.layers.0.mlp.up_proj'],
  ['GLM', fixture('glm'), 'gate_up_proj', 'model.layers.0.mlp.gate_up_proj'],
  ['GPT-Neo', fixture('gpt-neo'), 'k_proj', 'transformer.h.0.attn.attention.k_proj'],
  ['GPT-J', fixture('gptj'), 'fc_in', 'transformer.h.0.mlp.fc_in'],
  ['OPT', fixture('opt'), 'q_proj', 'model.decoder.layers.0.self_attn.q_proj'],
  ['BLOOM', fixture('bloom'), 'query_key_value', 'transformer.h.0.self_attention.query_key_value'],
  ['Falcon', fixture('falcon-7b'), 'dense_4h_to_h', 'transformer.h.0.mlp.dense_4h_to_h'],
  ['MPT', fixture('mpt'), 'Wqkv', 'transformer.blocks.0.attn.Wqkv'],
  ['Persimmon', fixture('persimmon'), 'dense', 'model.layers.0.self_attn.dense'],
];

describe.each(FAMILIES)(
  "an adapter in PEFT's layout on %s",
  (name, folder, target, module, conv1d = false) => {
    const out = lab.path(name);
    let path = '';
    const adapted = () => {
      const spec = loadExperiment(lab.experiment, [
        `model.path=${path}`,
        'model.maxLength=4',
        `adapter=${JSON.stringify({ method: 'lora', rank: 2, targetModules: [target] })}`,
        ...(target === 'lm_head' ? ['model.output=logits', 'task.head=none'] : []),
      ]);
      const model = adaptModel(spec);
      return { spec, ...model, parameters: perturbed(initialAdapters(model.adapters, 1), 2) };
    };
    beforeAll(() => {
      path = folder();
      mkdirSync(out);
      const made = adapted();
      writePeftAdapter(out, made, made.parameters, { labels: [] });
    });

    it("has the names of transformers' class for the task", () => {
      const { tensors } = readSafetensors(join(out, 'adapter_model.safetensors'));
      const config = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      for (const part of ['lora_A.weight', 'lora_B.weight'])
        expect([...tensors.keys()]).toContain(`base_model.model.${module}.${part}`);
      expect(config.target_modules).toContain(module);
      expect(config.fan_in_fan_out).toBe(conv1d);
    });

    it.each(['its class', 'the base model', 'the base model inside another class'])(
      'is read with the names of %s',
      (of) => {
        const { model, layers, adapters, parameters } = adapted();
        const read = lab.fresh(`${name} as ${of}`);
        cpSync(out, read, { recursive: true });
        const file = join(read, 'adapter_model.safetensors');
        const prefix = /^(?:lm_head|text_model|vision_model|layer)\b/.test(module)
          ? ''
          : `${module.split('.')[0]}.`;
        const rename = (key: string) =>
          of === 'its class'
            ? key
            : key.replace(
                `base_model.model.${prefix}`,
                `base_model.model.${of === 'the base model' ? '' : 'encoder.x.'}`,
              );
        const tensors = [...readSafetensors(file).tensors].map(([key, t]): [string, FloatTensor] => [
          rename(key),
          t,
        ]);
        writeAtomic(file, encodeSafetensors(new Map(tensors)));
        const fitted = fitAdapter(readAdapterFolder(read), model.graph, layers);
        expect(fitted.adapters.map((a) => a.layer.path)).toEqual(adapters.map((a) => a.layer.path));
        expect(fitted.parameters).toEqual(parameters);
        if (of === 'its class') expect(readPeftAdapter(read, adapters)).toEqual(parameters);
      },
    );
  },
);
