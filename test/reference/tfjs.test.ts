import { describe, it } from 'vitest';
import type { TfjsBackend } from '../../src/engine/place';
import { onWebgpu } from '../webgpu';
import { agrees } from './agrees';
import { allFiles } from './files';

const on = (device: TfjsBackend) => ({ place: { engine: 'tfjs', device } }) as const;

/** Its gradients come from its own tape, so it shares only the forward graph with ONNX Runtime. */
describe('TensorFlow.js agrees with PyTorch on WebAssembly', () => {
  it.each(allFiles())('on %s', (name) => agrees(name, on('wasm')));
});

describe('TensorFlow.js agrees with PyTorch in plain JavaScript', () => {
  it.each(['anl.json', 'bert-aurora.json', 'llama-aurora.json', 'more/conformer.json', 'more/table.json'])(
    'on %s',
    (name) => agrees(name, on('cpu')),
  );
});

describe.runIf(onWebgpu)('TensorFlow.js agrees with PyTorch on WebGPU', () => {
  it.each(['anl.json', 'bert-lora.json', 'more/conformer.json', 'more/swin.json', 'more/table.json'])(
    'on %s',
    (name) => agrees(name, on('webgpu')),
  );
});
