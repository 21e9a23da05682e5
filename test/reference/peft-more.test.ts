import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { peftMoreFiles } from './files';

const cases = peftMoreFiles();

describe('newer methods and settings agree with PEFT', () => {
  it.each(cases)('on ONNX Runtime: %s', (name) => agrees(name));

  it.each(cases)('on TensorFlow.js: %s', (name) =>
    agrees(name, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
