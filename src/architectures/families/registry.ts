import type { Family } from '../family';
import { bert } from './bert';
import { distilbert } from './distilbert';
import { gpt2 } from './gpt2';
import { gemma } from './gemma';
import { gemma2 } from './gemma2';
import { gemma3Text } from './gemma3';
import { gptNeoX } from './gpt-neox';
import { llama } from './llama';
import { mistral } from './mistral';
import { olmo2 } from './olmo2';
import { phi3 } from './phi3';
import { qwen2, qwen3 } from './qwen';
import { roberta } from './roberta';
import { smollm3 } from './smollm3';
import { vit } from './vit';

/** By `model_type` in config.json. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['bert', bert],
  ['roberta', roberta],
  ['xlm-roberta', roberta],
  ['distilbert', distilbert],
  ['vit', vit],
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
