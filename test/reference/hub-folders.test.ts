import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { hubFiles } from './files';

describe('models from Hugging Face folders agree with PyTorch', () => {
  it.each(hubFiles())('on ONNX Runtime: %s', (name) => agrees(name));

  it.each(hubFiles())('on TensorFlow.js: %s', (name) =>
    agrees(name, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
