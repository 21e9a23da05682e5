import { describe, it } from 'vitest';
import type { Place } from '../../src/engine/place';
import { onWebgpu } from '../webgpu';
import { agrees } from './agrees';
import { allFiles } from './files';

/** Those with operators that no ONNX file here has; the rest would take long. */
const HUB = ['deberta-conv-aurora', 'dinov2-gated-lora', 'modernbert-aurora', 't5-gated-lora'].map(
  (name) => `../hf/${name}.json`,
);

const WEBGPU: Place = { engine: 'onnxruntime', device: 'webgpu' };

describe.runIf(onWebgpu)('WebGPU agrees with PyTorch', () => {
  it.each([...allFiles(), ...HUB])('on %s', (name) => agrees(name, { place: WEBGPU }));
});
