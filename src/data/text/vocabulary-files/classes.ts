import { bert, mpnet } from './word-piece';
import { clip, deberta, gpt2, qwen2, roberta } from './byte-level';
import type { TokenizerClass } from './tokenizer-class';

/** transformers' tokenizers in Python that are read here, by their names without "Fast". */
export const CLASSES: ReadonlyMap<string, TokenizerClass> = new Map([
  ['BertTokenizer', bert],
  ['DistilBertTokenizer', bert],
  ['ElectraTokenizer', bert],
  ['MobileBertTokenizer', bert],
  ['SqueezeBertTokenizer', bert],
  ['MPNetTokenizer', mpnet],
  ['RobertaTokenizer', roberta],
  ['BartTokenizer', roberta],
  ['LongformerTokenizer', roberta],
  ['LEDTokenizer', roberta],
  ['GPT2Tokenizer', gpt2],
  ['CodeGenTokenizer', gpt2],
  ['DebertaTokenizer', deberta],
  ['Qwen2Tokenizer', qwen2],
  ['CLIPTokenizer', clip],
]);

/**
 * The classes by `model_type` of config.json, where no file names one (TOKENIZER_MAPPING_NAMES of transformers). Of the other
 * families here, published folders have a tokenizer.json or a model of SentencePiece.
 */
export const CLASS_OF_MODEL: ReadonlyMap<string, string> = new Map([
  ['bert', 'BertTokenizer'],
  ['distilbert', 'DistilBertTokenizer'],
  ['electra', 'ElectraTokenizer'],
  ['ernie', 'BertTokenizer'],
  ['megatron-bert', 'BertTokenizer'],
  ['mobilebert', 'MobileBertTokenizer'],
  ['nomic_bert', 'BertTokenizer'],
  ['mpnet', 'MPNetTokenizer'],
  ['roformer', 'RoFormerTokenizer'],
  ['roberta', 'RobertaTokenizer'],
  ['data2vec-text', 'RobertaTokenizer'],
  ['bart', 'BartTokenizer'],
  ['deberta', 'DebertaTokenizer'],
  ['gpt2', 'GPT2Tokenizer'],
  ['gpt_neo', 'GPT2Tokenizer'],
  ['gptj', 'GPT2Tokenizer'],
  ['opt', 'GPT2Tokenizer'],
  ['phi', 'CodeGenTokenizer'],
  ['starcoder2', 'GPT2Tokenizer'],
  ['granite', 'GPT2Tokenizer'],
  ['qwen2', 'Qwen2Tokenizer'],
  ['qwen3', 'Qwen2Tokenizer'],
  ['qwen3_moe', 'Qwen2Tokenizer'],
  ['clip', 'CLIPTokenizer'],
]);
