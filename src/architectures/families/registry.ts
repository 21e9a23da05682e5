import type { Family } from '../family';
import { albert } from './albert';
import { bert, electra } from './bert';
import { debertaV2 } from './deberta';
import { clip, clipText, clipVision } from './clip';
import { dinov2 } from './dinov2';
import { distilbert } from './distilbert';
import { gpt2 } from './gpt2';
import { llama } from './llama';
import { mistral, qwen2 } from './mistral';
import { modernbert } from './modernbert';
import { mpnet } from './mpnet';
import { roberta, xlmRoberta } from './roberta';
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
  ['clip_text_model', clipText],
  ['clip_vision_model', clipVision],
  ['clip', clip],
  ['llama', llama],
  ['mistral', mistral],
  ['qwen2', qwen2],
  ['gpt2', gpt2],
]);
