import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ownValues } from '../../../../src/adapters/merge';
import { ENCODINGS } from '../../../../src/exports/gguf/encodings';
import { ADAPTER_FILE, MODEL_FILE } from '../../../../src/exports/gguf/file-names';
import { readGguf } from '../../../../src/exports/gguf/gguf-reader';
import { ggufLora } from '../../../../src/exports/gguf/lora-form';
import { ggufFile } from '../../../../src/exports/gguf/model-form';
import { readFileRef } from '../../../../src/graph/values';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import type { Trained } from '../../../../src/training/checkpoint/trained-run';
import { adaptModel } from '../../../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../../../src/training/task/initialize';
import { Lab } from '../../../cli/lab';
import { byteLevelTokenizer } from '../../../tokenizers/small';

const lab = new Lab();
afterAll(() => lab.remove());

type Json = Record<string, unknown>;

/** A model of test/fixtures/hf with other settings. Its tokenizer has more tokens than the model, which these tests do not read. */
function folderOf(name: string, settings: Json = {}): string {
  const folder = lab.fresh(name);
  cpSync(resolve('test/fixtures/hf', name), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as Json;
  writeFileSync(path, JSON.stringify({ ...config, ...settings }));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(byteLevelTokenizer('qwen2', false)));
  writeFileSync(join(folder, 'tokenizer_config.json'), '{"eos_token":"<|end|>"}');
  return folder;
}

function trained(folder: string, adapter: Json = {}, more: readonly string[] = []): Trained {
  const spec = loadExperiment(lab.experiment, [
    `model.path=${folder}`,
    'model.maxLength=4',
    'task={"type":"causal-language-modeling","head":"none"}',
    `adapter=${JSON.stringify({ method: 'lora', rank: 2, alpha: 6, targetModules: ['q_proj', 'k_proj', 'up_proj'], ...adapter })}`,
    ...more,
  ]);
  const found = adaptModel(spec);
  const parameters = perturbed(initialAdapters(found.adapters, 1), 2);
  return { task: { ...found, spec }, parameters } as unknown as Trained;
}

const FORMS = { gguf: ggufFile, 'gguf-lora': ggufLora };
const OPTIONS = { requantize: false, precision: 'float32' } as const;

function written(form: keyof typeof FORMS, of: Trained): string {
  const to = lab.fresh('out');
  mkdirSync(to);
  FORMS[form].check!(of);
  FORMS[form].write(of, to, lab.path('work'), OPTIONS);
  return to;
}

function readValues(path: string, name: string): Float32Array {
  const { type, data } = readGguf(path).tensors.get(name)!;
  return ENCODINGS[type].decode(readFileRef(data));
}

describe('a LoRA for llama.cpp', () => {
  it('has llama.cpp’s names, one alpha, and what else scales an adapter in B', () => {
    const run = trained(folderOf('llama'), { rankPattern: { k_proj: 3 }, alphaPattern: { up_proj: 12 } });
    const path = join(written('gguf-lora', run), ADAPTER_FILE);
    const { metadata, tensors } = readGguf(path);
    const entry = (key: string) => metadata.get(key)?.value;
    expect(['general.architecture', 'general.type', 'adapter.type', 'adapter.lora.alpha'].map(entry)).toEqual(
      ['llama', 'adapter', 'lora', 6],
    );
    expect([...tensors.values()].slice(0, 4).map(({ name, dims }) => [name, dims])).toEqual([
      ['blk.0.attn_q.weight.lora_a', [2, 32]],
      ['blk.0.attn_q.weight.lora_b', [32, 2]],
      ['blk.0.attn_k.weight.lora_a', [3, 32]],
      ['blk.0.attn_k.weight.lora_b', [16, 3]],
    ]);
    const up = run.task.adapters.find(({ layer }) => layer.path === 'layers.0.mlp.up_proj')!;
    const { A, B } = ownValues(up, run.parameters);
    expect(readValues(path, 'blk.0.ffn_up.weight.lora_a')).toEqual(A);
    expect(readValues(path, 'blk.0.ffn_up.weight.lora_b')).toEqual(B.map((v) => 2 * v));
  });

  it('of rsLoRA has its scale, alpha / √rank', () => {
    const run = trained(folderOf('llama'), { useRslora: true, targetModules: ['up_proj'] });
    const path = join(written('gguf-lora', run), ADAPTER_FILE);
    const alpha = readGguf(path).metadata.get('adapter.lora.alpha')!.value as number;
    expect(alpha / 2).toBeCloseTo(6 / Math.sqrt(2), 6);
  });

  it.each<[string, string, Json, string, string]>([
    ['a bias', 'llama', { loraBias: true }, 'has a bias (adapter.loraBias)', 'onnx-merged'],
    ['a bias of a layer with one', 'llama-biases', { loraBias: true }, 'has a bias', '--as gguf'],
    ['DoRA', 'llama', { method: 'dora' }, 'trained DoRA', '--as gguf'],
    [
      'biases',
      'llama-biases',
      { method: 'bitfit', rank: undefined, alpha: undefined },
      'BitFit',
      '--as gguf',
    ],
    [
      'a head that is the embedding',
      'qwen2-tied',
      { targetModules: ['lm_head'] },
      'has the same weight as',
      '--as peft-lora',
    ],
    ['another family', 'olmo2', {}, 'is not of a family', '--as peft-lora'],
  ])('is refused for %s', (_, name, adapter, message, hint) => {
    const run = trained(folderOf(name), adapter);
    const refused = () => ggufLora.check!(run);
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) as string }));
  });
});

describe('a model for llama.cpp', () => {
  it.each<[string, string, Json, string]>([
    ['an activation', 'llama', { hidden_act: 'gelu' }, 'its activation is gelu'],
    ['a scaling', 'llama-biases', {}, 'scaled by dynamic'],
    ['a scale of attention', 'gemma2', {}, 'query_pre_attn_scalar is 20, not 8'],
    ['windows', 'gemma3', { query_pre_attn_scalar: 8 }, 'sliding window are others'],
    ['scores that are not scaled', 'gpt2-untied', { activation_function: 'gelu_new' }, 'scale_attn_weights'],
    ['heads', 'phi3-long', {}, '4 heads of 8 features'],
  ])('is refused with other %s than llama.cpp’s graph has', (_, name, settings, message) => {
    const targetModules = name.startsWith('gpt2') ? ['c_attn'] : ['o_proj'];
    expect(() => ggufFile.check!(trained(folderOf(name, settings), { targetModules }))).toThrow(message);
  });

  it('is refused after training on quantized weights', () => {
    const run = trained(folderOf('llama'));
    const spec = { ...run.task.spec, model: { ...run.task.spec.model, quantize: 4 } };
    const quantized = { ...run, task: { ...run.task, spec } } as unknown as Trained;
    expect(() => ggufFile.check!(quantized)).toThrow(
      'in 4 bits (model.quantize), and --as gguf writes its own weights',
    );
  });

  it.each(['gguf', 'gguf-lora'] as const)(
    'as %s is refused with a head for labels, and for an ONNX file',
    (form) => {
      const run = trained(folderOf('llama'));
      const withHead = {
        ...run,
        task: { ...run.task, head: { weight: 'w', bias: 'b' } },
      } as unknown as Trained;
      expect(() => FORMS[form].check!(withHead)).toThrow('trained a head for causal-language-modeling');
      const onnx = {
        ...run,
        task: { ...run.task, source: { kind: 'onnx', file: 'm.onnx' } },
      } as unknown as Trained;
      expect(() => FORMS[form].check!(onnx)).toThrow('m.onnx is an ONNX file');
    },
  );

  it('has a context as long as the window that llama.cpp leaves out', () => {
    const folder = folderOf('mistral-window');
    // The tokenizer has more tokens than rows, which is noticed before training.
    const run = trained(folder, { targetModules: ['q_proj'] });
    const { metadata, tensors } = readGguf(join(written('gguf', run), MODEL_FILE));
    expect(metadata.get('llama.context_length')?.value).toBe(3);
    expect(metadata.get('llama.attention.key_length')?.value).toBe(6);
    expect(tensors.get('blk.1.attn_k.weight')?.dims).toEqual([12, 16]);
  });
});
