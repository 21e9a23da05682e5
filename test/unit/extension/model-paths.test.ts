import { expect, it } from 'vitest';
import { modelsAmong } from '../../../src/extension/models/model-paths';

it('models are ONNX files, and folders with config.json and safetensors', () => {
  expect(
    modelsAmong([
      '/w/b/config.json',
      '/w/b/model.safetensors',
      '/w/large/model.safetensors.index.json',
      '/w/large/config.json',
      '/w/a.onnx',
      // Another program's config.json, and weights without one.
      '/w/config.json',
      '/w/loose/model.safetensors',
      '/w/b/onnx/model.onnx',
    ]),
  ).toEqual(['/w/a.onnx', '/w/b', '/w/b/onnx/model.onnx', '/w/large']);
});

it('pipelines are models, and what is in one is not', () => {
  expect(
    modelsAmong([
      '/w/sd/model_index.json',
      '/w/sd/text_encoder/config.json',
      '/w/sd/text_encoder/model.safetensors',
      '/w/sd/unet/model.onnx',
      '/w/sd-tuned.onnx',
    ]),
  ).toEqual(['/w/sd', '/w/sd-tuned.onnx']);
});
