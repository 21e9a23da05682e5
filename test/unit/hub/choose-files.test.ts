import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { chooseModelFiles, sizeOf } from '../../../src/hub/choose-files';

const list = (...paths: string[]) => paths.map((path, i) => ({ path, size: 1000 + i }));
const chosen = (...paths: string[]) => {
  const { model, weights, files, tokenizer } = chooseModelFiles('org/name', list(...paths));
  return { model, weights, tokenizer, files: files.map(({ path }) => path) };
};

/** The error that nothing can be used with. */
function refusal(...paths: string[]): AuroraError {
  try {
    chooseModelFiles('org/name', list(...paths));
  } catch (e) {
    expect(e).toBeInstanceOf(AuroraError);
    return e as AuroraError;
  }
  throw new Error('It was chosen.');
}

// As FacebookAI/roberta-base has them.
const ROBERTA = [
  '.gitattributes',
  'README.md',
  'config.json',
  'dict.txt',
  'flax_model.msgpack',
  'merges.txt',
  'model.safetensors',
  'pytorch_model.bin',
  'rust_model.ot',
  'tf_model.h5',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.json',
];

describe('the files that training needs of a model', () => {
  it('are its description, its tokenizer and one file of weights', () => {
    expect(chosen(...ROBERTA)).toEqual({
      model: '',
      weights: ['model.safetensors'],
      tokenizer: 'tokenizer.json',
      files: ['README.md', 'config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'],
    });
  });

  it('include the older files of a tokenizer where there is no tokenizer.json', () => {
    const older = ROBERTA.filter((name) => name !== 'tokenizer.json');
    expect(chosen(...older, 'added_tokens.json')).toMatchObject({
      tokenizer: 'vocab.json',
      files: [
        'README.md',
        'config.json',
        'merges.txt',
        'tokenizer_config.json',
        'vocab.json',
        'added_tokens.json',
        'model.safetensors',
      ],
    });
    const beside = chosen('config.json', 'vocab.txt', 'onnx/model.onnx', 'special_tokens_map.json');
    expect(beside).toMatchObject({
      tokenizer: 'vocab.txt',
      files: ['config.json', 'vocab.txt', 'special_tokens_map.json', 'onnx/model.onnx'],
    });
    expect(chosen('config.json', 'model.safetensors', 'spiece.model').tokenizer).toBeUndefined();
  });

  it('are in one precision, without variants, and not those of other programs', () => {
    const { weights } = chosen(
      ...['config.json', 'tokenizer.json', 'model.fp16.safetensors', 'model.safetensors', 'onnx/model.onnx'],
      ...['consolidated.safetensors', 'original/consolidated.00.pth', 'model-q4.gguf'],
    );
    expect(weights).toEqual(['model.safetensors']);
  });

  it('are the index and all files that it lists, if there are several', () => {
    const shards = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
    const { files, weights } = chosen(
      ...['config.json', 'consolidated.safetensors', 'model.safetensors.index.json', 'tokenizer.json'],
      ...['model.fp16-00001-of-00002.safetensors', 'LICENSE', 'USE_POLICY.md'],
      ...[...shards].reverse(),
    );
    expect(weights).toEqual(shards);
    expect([...files].sort()).toEqual(
      ['LICENSE', 'config.json', ...shards, 'model.safetensors.index.json', 'tokenizer.json'].sort(),
    );
  });

  it('are an ONNX file with its data where there are no safetensors, with the tokenizer above it', () => {
    const { model, files, tokenizer } = chosen(
      ...[
        'config.json',
        'tokenizer.json',
        'onnx/model.onnx',
        'onnx/model.onnx_data',
        'onnx/model_quantized.onnx',
      ],
      ...['pytorch_model.bin', 'onnx/model_fp16.onnx', 'onnx/model_fp16.onnx_data'],
    );
    expect([model, tokenizer]).toEqual(['onnx/model.onnx', 'tokenizer.json']);
    expect(files).toEqual(['config.json', 'tokenizer.json', 'onnx/model.onnx', 'onnx/model.onnx_data']);
  });

  it('are the ONNX file that is asked for, and what lies beside it', () => {
    const files = list(
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'onnx/tokenizer.json',
      'onnx/model_fp16.onnx',
    );
    const found = chooseModelFiles('org/name', files, 'onnx/model_fp16.onnx');
    expect(found).toMatchObject({ model: 'onnx/model_fp16.onnx', tokenizer: 'onnx/tokenizer.json' });
    expect(found.files.map(({ path }) => path)).not.toContain('model.safetensors');
    expect(() => chooseModelFiles('org/name', files, 'onnx/model.onnx')).toThrow(
      'org/name has no ONNX file onnx/model.onnx.',
    );
  });

  it('include images’ preprocessing', () => {
    const found = chooseModelFiles(
      'a/b',
      list('config.json', 'model.safetensors', 'preprocessor_config.json'),
    );
    expect(found.preprocessor).toBe('preprocessor_config.json');
    expect(sizeOf(found.files)).toBe(1000 + 1001 + 1002);
  });

  it('are refused if they are pickled, with the way to safetensors', () => {
    const { kind, message, hint } = refusal('config.json', 'pytorch_model.bin', 'tf_model.h5', 'vocab.txt');
    expect(kind).toBe('model');
    expect(message).toContain('only in pytorch_model.bin, a format that can run code');
    expect(hint).toContain('refs/pr/');
  });

  it.each([
    [['adapter_config.json', 'adapter_model.safetensors'], 'is an adapter, not a model'],
    [['config.json', 'model-q4_0.gguf'], 'only as GGUF'],
    [['config.json', 'model.fp16.safetensors'], 'has no model.safetensors'],
    [['config.json', 'model.safetensors.index.json'], 'has no weights'],
    [['config.json', 'a.onnx', 'b.onnx'], 'has 2 ONNX files'],
    [['config.json', 'tf_model.h5'], 'only in tf_model.h5'],
    [['README.md'], 'has no weights'],
  ])('are refused if there is only %s', (paths, message) => {
    expect(refusal(...paths).message).toContain(message);
  });
});
