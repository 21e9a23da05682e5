import { readdirSync } from 'node:fs';
import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { fixture } from './files';

/** Cases over files with operators that ONNX Runtime fused, in test/fixtures/fused. */
const cases = readdirSync(fixture('../fused')).filter((name) => name.endsWith('.json'));

describe('fused ONNX files agree with PyTorch', () => {
  it.each(cases)('on ONNX Runtime: %s', (name) => agrees(`../fused/${name}`));

  it.each(cases)('on TensorFlow.js: %s', (name) =>
    agrees(`../fused/${name}`, { place: { engine: 'tfjs', device: 'wasm' } }),
  );
});
