import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { pipelineFiles } from './files';

describe("models from diffusers' folders agree with PyTorch", () => {
  it.each(pipelineFiles())('on ONNX Runtime: %s', (name) => agrees(name));

  it.each(pipelineFiles())('on TensorFlow.js: %s', (name) =>
    agrees(name, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
