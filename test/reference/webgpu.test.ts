import { describe, it } from 'vitest';
import type { Place } from '../../src/engine/place';
import { onWebgpu } from '../webgpu';
import { agrees } from './agrees';
import { allFiles } from './files';

/** One case of each family: operators and settings that no ONNX file here has. */
const HUB = [
  'bert-base-lora',
  'roberta-aurora',
  'electra-aurora',
  'distilbert-aurora',
  'mpnet-aurora',
  'albert-aurora',
  'deberta-conv-aurora',
  'modernbert-aurora',
  't5-gated-lora',
  'vit-wide-lora',
  'deit-aurora',
  'dinov2-gated-lora',
  'dinov2-registers-lora',
  'swin-lora',
  'clip-text-aurora',
  'clip-classifier-lora',
  'llama-scaled-aurora',
  'mistral-window-lora',
  'qwen2-window-lora',
  'qwen3-window-lora',
  'gemma-first-aurora',
  'gemma2-lora',
  'gemma3-kinds-aurora',
  'phi3-long-aurora',
  'smollm3-lora',
  'olmo2-aurora',
  'gpt-neox-aurora',
  'gpt2-scaled-aurora',
].map((name) => `../hf/${name}.json`);

const WEBGPU: Place = { engine: 'onnxruntime', device: 'webgpu' };

describe.runIf(onWebgpu)('WebGPU agrees with PyTorch', () => {
  it.each([...allFiles(), ...HUB])('on %s', (name) => agrees(name, { place: WEBGPU }));
});
