import { describe, it } from 'vitest';
import type { Place } from '../../src/engine/place';
import { onWebgpu } from '../webgpu';
import { agrees } from './agrees';
import { allFiles } from './files';

/**
 * The operators of their graphs, with the same attributes and ranks, are all in graphs of other cases here too: a software
 * renderer takes two seconds for each, and the CPU compares them in pytorch.test.ts.
 */
const COVERED = [
  './bert-aurora-start.json',
  './bert-lora.json',
  './bert-opset13-aurora.json',
  './more/albert.json',
  './more/bitfit-table.json',
  './more/bitfit.json',
  './more/class-weights.json',
  './more/dora-tied.json',
  './more/dora.json',
  './more/full.json',
  './more/label-smoothing.json',
  './more/moslora.json',
  './more/pairs.json',
  './more/past-gpt2.json',
  './more/past-merged.json',
  './more/prompted.json',
  './more/roberta-sdpa-mse.json',
  './more/static-form.json',
  './more/t5-encoder.json',
  './more/tagging.json',
];

/** Operators, attributes and ranks that no ONNX file here has; hub-folders.test.ts compares all families. */
const HUB = [
  'mpnet-aurora',
  'deberta-conv-aurora',
  'modernbert-aurora',
  'vit-wide-lora',
  'dinov2-registers-lora',
  'swin-lora',
  'clip-classifier-lora',
  'gemma2-lora',
  'gemma3-kinds-aurora',
  'phi3-long-aurora',
  'gpt-neox-aurora',
  'gptj-lora',
  'falcon-slopes-lora',
  'mpt-clipped-lora',
].map((name) => `../hf/${name}.json`);

const WEBGPU: Place = { engine: 'onnxruntime', device: 'webgpu' };
const files = allFiles().filter((name) => !COVERED.includes(name));

describe.runIf(onWebgpu)('WebGPU agrees with PyTorch', () => {
  it.each([...files, ...HUB])('on %s', (name) => agrees(name, { place: WEBGPU }));
});
