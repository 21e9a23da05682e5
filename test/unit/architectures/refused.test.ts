import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { bertConfig, bertTensors, Folders, safetensors } from './folders';

const folders = new Folders();
afterAll(() => folders.remove());

const config = bertConfig();
const weights = safetensors(bertTensors());
const HUB = join(import.meta.dirname, '../../fixtures/hf');
const INDEX = 'model.safetensors.index.json';

/** Expects an error of this kind that names a thing, and its next step. */
function refuses(files: Parameters<Folders['make']>[0], kind: string, message: RegExp, hint: RegExp): void {
  const folder = folders.make(files);
  let error: unknown;
  try {
    loadModelFrom(modelSource(folder));
  } catch (e) {
    error = e;
  }
  expect(error).toMatchObject({ kind, message: expect.stringMatching(message) as string });
  expect(error).toMatchObject({ hint: expect.stringMatching(hint) as string });
  expect((error as Error).message).toContain(folder);
}

/** A folder of test/fixtures/hf with other settings. */
const changed = (name: string, more: Record<string, unknown>) => {
  const read = (file: string) => readFileSync(join(HUB, name, file));
  const own = JSON.parse(read('config.json').toString()) as Record<string, unknown>;
  return { 'config.json': { ...own, ...more }, 'model.safetensors': read('model.safetensors') };
};

const without = (name: string) =>
  safetensors(Object.fromEntries(Object.entries(bertTensors()).filter(([key]) => key !== name)));

describe('a model folder is refused', () => {
  it('without config.json', () =>
    refuses({ 'model.safetensors': weights }, 'model', /is a folder without config\.json/, /onnx file/));

  it('with a config.json that is not JSON, or no object', () => {
    refuses({ 'config.json': '{' }, 'model', /not valid JSON/, /download/);
    refuses({ 'config.json': '[]' }, 'model', /not a JSON object/, /download/);
  });

  it('of another model_type, with the nearest families', () =>
    refuses(
      { 'config.json': { ...config, model_type: 'nystromformer' }, 'model.safetensors': weights },
      'model',
      /model_type is "nystromformer"/,
      /"bert" \(BERT\).*optimum-cli export onnx/,
    ));

  it('of another model_type, beside an ONNX file that can be used', () =>
    refuses(
      { 'config.json': { model_type: 'mamba' }, 'model.onnx': 'x' },
      'model',
      /model_type is "mamba"/,
      /^Use the ONNX file in the folder: .*model\.onnx\.$/,
    ));

  it('with pickled weights alone, without any, or with others', () => {
    const pickled = { 'config.json': config, 'pytorch_model.bin': 'x' };
    refuses(pickled, 'model', /only in pytorch_model\.bin/, /model\.safetensors/);
    refuses({ 'config.json': config }, 'externalMissing', /neither model\.safetensors nor/, /Download/);
    const renamed = { 'config.json': config, 'model.int8.safetensors': weights };
    refuses(renamed, 'externalMissing', /only model\.int8\.safetensors/, /rename/);
  });

  it('without a weight', () => {
    const name = 'bert.encoder.layer.0.output.dense.weight';
    refuses(
      { 'config.json': config, 'model.safetensors': without(name) },
      'model',
      new RegExp(name),
      /revision/,
    );
  });

  it('with an adapter in place of the model', () => {
    const lora = safetensors({ 'base_model.model.bert.query.lora_A.weight': { dims: [2, 8] } });
    refuses({ 'config.json': config, 'model.safetensors': lora }, 'model', /word_embeddings/, /adapter/);
  });

  it('with sizes that disagree with the weights, without reading or allocating anything', () => {
    const loads = (more: Record<string, unknown>, message: RegExp) =>
      refuses({ 'config.json': bertConfig(more), 'model.safetensors': weights }, 'model', message, /./);
    loads(
      { vocab_size: 2_000_000_000 },
      /word_embeddings\.weight has the shape \[11, 8\].*\[2000000000, 8\]/,
    );
    loads({ num_hidden_layers: 10_000 }, /encoder\.layer\.1\./);
    loads({ num_hidden_layers: -1 }, /num_hidden_layers is -1, not a positive integer/);
    loads({ hidden_size: 1e300 }, /hidden_size/);
    loads({ num_attention_heads: 3 }, /8 cannot be divided among 3/);
    loads({ layer_norm_eps: '1e-5' }, /layer_norm_eps is "1e-5", not a positive number/);
  });

  it('with a setting that changes the result and is not implemented', () => {
    const loads = (more: Record<string, unknown>, message: RegExp, hint: RegExp) =>
      refuses({ 'config.json': bertConfig(more), 'model.safetensors': weights }, 'model', message, hint);
    loads(
      { position_embedding_type: 'relative_key' },
      /position_embedding_type is "relative_key"/,
      /"absolute"/,
    );
    loads({ hidden_act: 'prelu' }, /hidden_act is "prelu"/, /"gelu"/);
    loads({ is_decoder: true }, /is_decoder is true/, /false/);
    loads({ pruned_heads: { 0: [1] } }, /pruned_heads is \{"0":\[1\]\}/, /Export/);
    loads(
      { quantization_config: { bits: 4 } },
      /quantization_config\.quant_method/,
      /before it was quantized/,
    );
  });

  it('with everything that is not implemented at once, and the way forward once', () =>
    refuses(
      changed('electra', {
        is_decoder: true,
        position_embedding_type: 'relative_key',
        pruned_heads: { 0: [1] },
      }),
      'model',
      /^\S+: pruned_heads is \{"0":\[1\]\}, [^\n]*Supported: \{\}\.\n\S+: position_embedding_type is [^\n]*Supported: "absolute"\.\n\S+: is_decoder is true, [^\n]*Supported: false\.$/,
      /^Export the model to ONNX with Optimum, and use that file instead of the folder\.$/,
    ));

  it('with a model of texts and one of images in it', () => {
    const both = changed('clip-classifier', { architectures: ['CLIPModel'] });
    refuses(both, 'model', /model_type is "clip"/, /"clip_vision_model"/);
    const { vision_config: vision } = both['config.json'];
    const one = { ...both, 'config.json': vision as Record<string, unknown> };
    expect(loadModelFrom(modelSource(folders.make(one)), 'structure').graph.inputs[0].name).toBe(
      'pixel_values',
    );
  });

  it.each([
    ['siglip-cls', 'SiglipModel', 'siglip_vision_model', ['pixel_values']],
    [
      'siglip2-cls',
      'Siglip2Model',
      'siglip2_vision_model',
      ['pixel_values', 'pixel_attention_mask', 'spatial_shapes'],
    ],
  ])(
    'with a model of texts and one of images in it, of which one can be read: %s',
    (name, whole, type, inputs) => {
      const both = changed(name, { architectures: [whole] });
      refuses(both, 'model', /which is a text model and an image model in one/, new RegExp(`"${type}"\\.$`));
      const { vision_config: vision } = both['config.json'];
      const one = { ...both, 'config.json': vision as Record<string, unknown> };
      const model = loadModelFrom(modelSource(folders.make(one)), 'structure');
      expect(model.graph.inputs.map((i) => i.name)).toEqual(inputs);
      expect(model.graph.outputs.map((o) => o.name)).toEqual(['last_hidden_state', 'pooler_output']);
    },
  );

  it('with a second name for a size that says something else', () => {
    refuses(changed('gpt2', { num_attention_heads: 1 }), 'model', /num_attention_heads is 1/, /Supported: 3/);
  });

  it('with a setting of its family that is not implemented', () => {
    const rope = { rope_parameters: { rope_theta: 5 } };
    refuses(changed('modernbert', rope), 'model', /rope_parameters\.rope_theta is 5/, /null/);
    const dynamic = { rope_scaling: { rope_type: 'ntk' } };
    refuses(changed('modernbert', dynamic), 'model', /rope_scaling\.rope_type is "ntk"/, /"linear"/);
    const types = { layer_types: ['full_attention', 'chunked_attention', 'full_attention'] };
    refuses(changed('modernbert', types), 'model', /"chunked_attention" for layer 1/, /sliding_attention/);
    refuses(changed('modernbert', { head_dim: 4 }), 'model', /head_dim is 4/, /8/);
    refuses(
      changed('dinov2', { image_size: [28, 42] }),
      'model',
      /position_embeddings.*\[1, 7, 12\]/,
      /again/,
    );
    refuses(
      changed('deberta-v3', { position_buckets: 200 }),
      'model',
      /position_buckets is 200/,
      /Supported: -1/,
    );
    // More than the smaller map of the two stages has.
    refuses(changed('swin', { window_size: 5 }), 'model', /relative_position_bias_table/, /again/);
    refuses(changed('swin', { image_size: 100_000 }), 'model', /image_size is 100000/, /224/);
    const deep = { ...changed('swin', { depths: [2, 2, 2] }) };
    refuses(deep, 'model', /depths is \[2,2,2\]/, /Supported/);
    refuses(
      { 'config.json': { model_type: 'swinv2' }, 'model.safetensors': weights },
      'model',
      /"swinv2"/,
      /"swin"/,
    );
    refuses(changed('siglip2-vision', { num_patches: 26 }), 'model', /num_patches is 26/, /Supported: 25/);
    refuses(
      changed('beit-cls', { image_size: [24, 16] }),
      'model',
      /image_size is \[24,16\]/,
      /Supported: 16/,
    );
    refuses(
      changed('beit-cls', { image_size: 10 ** 6 }),
      'model',
      /image_size is 1000000/,
      /Supported: 2048/,
    );
    refuses(changed('beit-cls', { head_dim: 3 }), 'model', /head_dim is 3/, /Supported: 6/);
    refuses(changed('dinov3-vit', { num_attention_heads: 4 }), 'model', /heads is 4/, /Supported: 6/);
    refuses(changed('dinov3-biases', { image_size: 10 ** 6 }), 'model', /image_size is 1000000/, /224/);
    refuses(changed('convnext-cls', { num_stages: 3 }), 'model', /num_stages is 3/, /Supported: 2/);
    refuses(changed('convnext-cls', { depths: [1, 2, 3] }), 'model', /depths is \[1,2,3\]/, /Supported/);
    refuses(changed('convnext-cls', { image_size: 3 }), 'model', /image_size is 3/, /224/);
    refuses(changed('electra', { is_decoder: true }), 'model', /is_decoder is true/, /false/);
    const relative = { position_embedding_type: 'relative_key_query' };
    refuses(changed('albert', relative), 'model', /"relative_key_query"/, /"absolute"/);
  });

  it('with a setting of an encoder that is not implemented', () => {
    const loads = (name: string, more: Record<string, unknown>, message: RegExp, hint: RegExp) =>
      refuses(changed(name, more), 'model', message, hint);
    loads('deberta-mlm', { talking_head: true }, /talking_head is true/, /false/);
    for (const name of ['ernie-mlm', 'rembert-mlm', 'roformer-mlm', 'megatron-bert-mlm'])
      loads(
        name,
        { is_decoder: true, add_cross_attention: true },
        /is_decoder is true.*\n.*add_cross/,
        /false/,
      );
    loads('mobilebert-mlm', { normalization_type: 'rms_norm' }, /"rms_norm"/, /"no_norm", "layer_norm"/);
    loads('mobilebert-mlm', { true_hidden_size: 24 }, /true_hidden_size is 24/, /16/);
    loads('mobilebert-mlm', { key_query_shared_bottleneck: false }, /key_query_shared_bottleneck/, /true/);
    loads('eurobert-cls', { classifier_pooling: 'max' }, /classifier_pooling is "max"/, /"late", "mean"/);
    // Only the model's remote code reads it, and another one than the library's default would change the answer.
    loads('eurobert-cls', { clf_pooling: 'mean' }, /clf_pooling is "mean"/, /"late"/);
    loads('bart-encoder', { tie_word_embeddings: false }, /tie_word_embeddings is false/, /true/);
    const remote = { n_embd: 24, n_head: 4, n_layer: 2, n_inner: 36 };
    for (const [key, value] of Object.entries({
      prenorm: true,
      causal: true,
      num_experts: 8,
      norm_mlp: true,
    }))
      loads('nomic-bert-mlm', { ...remote, [key]: value }, new RegExp(`${key} is ${value}`), /ONNX/);
    loads('nomic-bert-mlm', { ...remote, activation_function: 'gelu_new' }, /"gelu_new"/, /"swiglu"/);
    const odd = { ...remote, activation_function: 'swiglu', rotary_emb_fraction: 0.4 };
    loads('nomic-bert-mlm', odd, /rotary_emb_fraction is 0.4/, /even part/);
  });

  it('with weights of another type', () =>
    refuses(
      { 'config.json': config, 'model.safetensors': safetensors(bertTensors('I64')) },
      'model',
      /word_embeddings\.weight has the type I64/,
      /quantized/,
    ));

  it('with a file that is cut off, or no safetensors file', () => {
    const cut = (n: number) => ({ 'config.json': config, 'model.safetensors': weights.subarray(0, n) });
    refuses(cut(weights.length - 5), 'truncated', /ends at byte/, /again/);
    refuses(cut(200), 'truncated', /its header ends/, /again/);
    refuses(cut(4), 'model', /it has 4 bytes/, /again/);
    refuses(
      { 'config.json': config, 'model.safetensors': 'version https://git-lfs' },
      'model',
      /header/,
      /again/,
    );
  });

  it('with a shard that is missing, outside, or without its weight', () => {
    const places = (file: string) => ({
      'config.json': config,
      [INDEX]: { weight_map: { 'bert.embeddings.word_embeddings.weight': file } },
    });
    refuses(places('model-1.safetensors'), 'externalMissing', /"model-1\.safetensors"/, /Download/);
    refuses(places('../model-0/config.json'), 'externalOutside', /outside/, /copy/);
    const other = { 'model-1.safetensors': safetensors({ other: { dims: [2] } }) };
    refuses({ ...places('model-1.safetensors'), ...other }, 'model', /does not have it/, /revision/);
    refuses({ 'config.json': config, [INDEX]: { weight_map: {} } }, 'model', /not an index/, /again/);
  });
});
