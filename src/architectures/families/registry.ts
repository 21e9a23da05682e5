import type { Family } from '../family';
import { bert } from './bert';
import { distilbert } from './distilbert';
import { gpt2 } from './gpt2';
import { llama } from './llama';
import { mistral, qwen2 } from './mistral';
import { roberta } from './roberta';
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
  ['gpt2', gpt2],
]);
