import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { peftFiles } from './files';

describe('methods agree with PEFT', () => {
  it.each(peftFiles())('on ONNX Runtime: %s', (name) => agrees(name));

  it.each(peftFiles())('on TensorFlow.js: %s', (name) =>
    agrees(name, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
