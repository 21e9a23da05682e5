import { describe, it } from 'vitest';
import type { Place } from '../../src/engine/place';
import { onWebgpu } from '../webgpu';
import { agrees } from './agrees';
import { allFiles, hubFiles } from './files';

const WEBGPU: Place = { engine: 'onnxruntime', device: 'webgpu' };

describe.runIf(onWebgpu)('WebGPU agrees with PyTorch', () => {
  it.each([...allFiles(), ...hubFiles()])('on %s', (name) => agrees(name, { place: WEBGPU }));
});
