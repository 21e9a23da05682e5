import type { Family } from '../family';
import { albert } from './albert';
import { bert, electra } from './bert';
import { debertaV2 } from './deberta/deberta';
import { clip, clipText, clipVision } from './clip';
import { dinov2, dinov2WithRegisters } from './dinov2';
import { distilbert } from './distilbert';
import { gemma } from './gemma';
import { gemma2 } from './gemma2';
import { gemma3Text } from './gemma3';
import { gptNeoX } from './gpt-neox';
import { gpt2 } from './gpt2';
import { llama } from './llama';
import { mistral } from './mistral';
import { modernbert } from './modernbert';
import { mpnet } from './mpnet';
import { olmo2 } from './olmo2';
import { phi3 } from './phi3';
import { qwen2, qwen3 } from './qwen';
import { roberta, xlmRoberta } from './roberta';
import { smollm3 } from './smollm3';
import { swin } from './swin';
import { mt5, t5 } from './t5';
import { deit, vit } from './vit';

/** By `model_type` in config.json. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['bert', bert],
  ['roberta', roberta],
  ['xlm-roberta', xlmRoberta],
  ['camembert', xlmRoberta],
  ['electra', electra],
  ['distilbert', distilbert],
  ['mpnet', mpnet],
  ['albert', albert],
  ['deberta-v2', debertaV2],
  ['modernbert', modernbert],
  ['t5', t5],
  ['mt5', mt5],
  ['vit', vit],
  ['deit', deit],
  ['dinov2', dinov2],
  ['dinov2_with_registers', dinov2WithRegisters],
  ['swin', swin],
  ['clip_text_model', clipText],
  ['clip_vision_model', clipVision],
  ['clip', clip],
  ['llama', llama],
  ['mistral', mistral],
  ['qwen2', qwen2],
  ['qwen3', qwen3],
  ['gemma', gemma],
  ['gemma2', gemma2],
  ['gemma3_text', gemma3Text],
  ['phi3', phi3],
  ['smollm3', smollm3],
  ['olmo2', olmo2],
  ['gpt_neox', gptNeoX],
  ['gpt2', gpt2],
]);
