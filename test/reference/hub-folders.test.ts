import { readdirSync } from 'node:fs';
import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { fixture } from './files';

/** Cases over folders with config.json and safetensors, in test/fixtures/hf. */
const cases = readdirSync(fixture('../hf')).filter((name) => name.endsWith('.json'));

describe('models from Hugging Face folders agree with PyTorch', () => {
  it.each(cases)('on ONNX Runtime: %s', (name) => agrees(`../hf/${name}`));

  it.each(cases)('on TensorFlow.js: %s', (name) =>
    agrees(`../hf/${name}`, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
