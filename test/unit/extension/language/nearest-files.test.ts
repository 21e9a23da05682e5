import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nearestFiles } from '../../../../src/extension/language/checks/check-files';

const at = (path: string) => join('/work', ...path.split('/'));
const near = (missing: string, ...files: string[]) =>
  nearestFiles(at('demo.aurora.json'), at(missing), files.map(at)).map((file) =>
    relative('/work', file).replaceAll('\\', '/'),
  );

describe('the nearest existing files', () => {
  const models = ['use-lite/model.onnx', 'models/bert/model.onnx', 'models/gpt2/config.json'];

  it('are those of a model whose folder is misspelt', () => {
    expect(near('models/brt', ...models)).toEqual(['models/bert/model.onnx']);
    expect(near('models/brt/model.onnx', ...models)).toEqual(['models/bert/model.onnx']);
    expect(near('models/gtp2', ...models)).toEqual(['models/gpt2/config.json']);
    expect(near('use-light/model.onnx', ...models)).toEqual(['use-lite/model.onnx']);
    expect(near('models/bert/modle.onnx', ...models)).toEqual(['models/bert/model.onnx']);
    expect(near('models/brt/tokenizer.json', 'models/bert/tokenizer.json', 'x/tokenizer.json')).toEqual([
      'models/bert/tokenizer.json',
    ]);
  });

  it('are none where no name is similar', () => {
    expect(near('models/brt', 'use-lite/model.onnx')).toEqual([]);
    expect(near('models/brt/model.onnx', 'use-lite/model.onnx')).toEqual([]);
    expect(near('reviews.csv', 'train.csv', 'a/b/labels.tsv')).toEqual([]);
  });

  it('may have a similar name in another folder, the closest path first', () => {
    expect(near('trian.csv', 'data/train.csv', 'train.csv', 'test.csv')).toEqual([
      'train.csv',
      'data/train.csv',
    ]);
    expect(near('data/train.csv', 'old/train.csv', 'dta/train.csv')).toEqual([
      'dta/train.csv',
      'old/train.csv',
    ]);
    // The folder was left out.
    expect(near('model.onnx', 'use-lite/model.onnx')).toEqual(['use-lite/model.onnx']);
    expect(near('bert', 'bert.onnx')).toEqual(['bert.onnx']);
  });

  it('are at most three', () => {
    const files = ['a1.csv', 'a2.csv', 'a3.csv', 'a4.csv'];
    expect(near('a5.csv', ...files)).toHaveLength(3);
  });
});
