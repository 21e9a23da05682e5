import type { Family } from '../family';
import { bloom } from './decoders/bloom';
import { cohere, cohere2 } from './decoders/cohere';
import { exaone4 } from './decoders/exaone4';
import { falcon } from './decoders/falcon';
import { gemma, gemma2, gemma3, gemma3Text } from './decoders/gemma';
import { glm, glm4 } from './decoders/glm';
import { gptNeo } from './decoders/gpt-neo';
import { gptNeoX } from './decoders/gpt-neox';
import { gpt2 } from './decoders/gpt2';
import { gptOss } from './decoders/gpt-oss';
import { gptJ } from './decoders/gptj';
import { helium } from './decoders/helium';
import { granite, llama, mistral } from './decoders/llama';
import { mixtral } from './decoders/mixtral';
import { mpt } from './decoders/mpt';
import { nemotron } from './decoders/nemotron';
import { olmo } from './decoders/olmo';
import { olmo2, olmo3 } from './decoders/olmo2';
import { opt } from './decoders/opt';
import { persimmon } from './decoders/persimmon';
import { phi } from './decoders/phi';
import { phi3 } from './decoders/phi3';
import { qwen2, qwen3 } from './decoders/qwen';
import { qwen3Moe } from './decoders/qwen3-moe';
import { smollm3 } from './decoders/smollm3';
import { stableLm } from './decoders/stablelm';
import { starcoder2 } from './decoders/starcoder2';
import { autoencoder } from './diffusion/autoencoder';
import { unet } from './diffusion/unet';
import { albert } from './encoders/albert';
import { bart, mbart } from './encoders/bart';
import { bert, data2vecText, electra, roberta, xlmRoberta } from './encoders/bert';
import { deberta } from './encoders/deberta';
import { debertaV2 } from './encoders/deberta-v2';
import { distilbert } from './encoders/distilbert';
import { ernie } from './encoders/ernie';
import { eurobert } from './encoders/eurobert';
import { megatronBert, xlmRobertaXl } from './encoders/megatron-bert';
import { mobilebert } from './encoders/mobilebert';
import { modernbert } from './encoders/modernbert';
import { mpnet } from './encoders/mpnet';
import { nomicBert } from './encoders/nomic-bert';
import { rembert } from './encoders/rembert';
import { roformer } from './encoders/roformer';
import { mt5, t5 } from './encoders/t5';
import { beit, data2vecVision } from './images/beit';
import { clip, clipText, clipVision } from './images/clip';
import { convnext, convnextV2, dinov3Convnext } from './images/convnext';
import { dinov2, dinov2WithRegisters } from './images/dinov2';
import { dinov3 } from './images/dinov3';
import { siglip, siglipVision } from './images/siglip';
import { siglip2, siglip2Vision } from './images/siglip2';
import { swin } from './images/swin';
import { deit, vit, vitMae } from './images/vit';

/** Families by `model_type` in config.json, which is transformers', or `_class_name`, which is diffusers'. */
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
  ['deberta', deberta],
  ['nomic_bert', nomicBert],
  ['eurobert', eurobert],
  ['roformer', roformer],
  ['ernie', ernie],
  ['rembert', rembert],
  ['megatron-bert', megatronBert],
  ['mobilebert', mobilebert],
  ['xlm-roberta-xl', xlmRobertaXl],
  ['data2vec-text', data2vecText],
  ['bart', bart],
  ['mbart', mbart],
  ['vit', vit],
  ['deit', deit],
  ['dinov2', dinov2],
  ['dinov2_with_registers', dinov2WithRegisters],
  ['swin', swin],
  ['clip_text_model', clipText],
  ['clip_vision_model', clipVision],
  ['clip', clip],
  ['siglip_vision_model', siglipVision],
  ['siglip', siglip],
  ['siglip2_vision_model', siglip2Vision],
  ['siglip2', siglip2],
  ['dinov3_vit', dinov3],
  ['beit', beit],
  ['data2vec-vision', data2vecVision],
  ['convnext', convnext],
  ['convnextv2', convnextV2],
  ['dinov3_convnext', dinov3Convnext],
  ['vit_mae', vitMae],
  ['llama', llama],
  ['mistral', mistral],
  ['ministral', mistral],
  ['qwen2', qwen2],
  ['qwen3', qwen3],
  ['gemma', gemma],
  ['gemma2', gemma2],
  ['gemma3_text', gemma3Text],
  ['gemma3', gemma3],
  ['phi3', phi3],
  ['smollm3', smollm3],
  ['olmo2', olmo2],
  ['granite', granite],
  ['starcoder2', starcoder2],
  ['gpt_neox', gptNeoX],
  ['gpt2', gpt2],
  ['phi', phi],
  ['stablelm', stableLm],
  ['olmo', olmo],
  ['olmo3', olmo3],
  ['cohere', cohere],
  ['cohere2', cohere2],
  ['nemotron', nemotron],
  ['helium', helium],
  ['glm', glm],
  ['glm4', glm4],
  ['exaone4', exaone4],
  ['gpt_neo', gptNeo],
  ['gptj', gptJ],
  ['opt', opt],
  ['bloom', bloom],
  ['falcon', falcon],
  ['mpt', mpt],
  ['persimmon', persimmon],
  ['mixtral', mixtral],
  ['qwen3_moe', qwen3Moe],
  ['gpt_oss', gptOss],
  ['UNet2DConditionModel', unet],
  ['AutoencoderKL', autoencoder],
]);
