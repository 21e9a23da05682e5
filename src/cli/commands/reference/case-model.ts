import { own } from '../../../base/names';
import { loadModelAt } from '../../../architectures/load';
import { loadTextEncoderAt, loadWithTextEncoders, readPipeline } from '../../../architectures/pipeline';
import { isHubModel, isPipeline } from '../../../files/model-path';
import type { Model } from '../../../graph/model';
import type { ReferenceCase } from './case';

/**
 * The model of a case. A pipeline's text encoders belong to it if the case has their inputs; CLIP's text model without a
 * mask is that of a pipeline.
 */
export function caseModel(path: string, { inputs }: ReferenceCase): Model {
  const has = (name: string) => own(inputs ?? {}, name) !== undefined;
  if (isPipeline(path) && has('input_ids')) return loadWithTextEncoders(readPipeline(path));
  const model = loadModelAt(path);
  const isText = isHubModel(path) && model.graph.initializers.has(CLIP_TEXT);
  return isText && has('input_ids') && !has('attention_mask') ? loadTextEncoderAt(path) : model;
}

const CLIP_TEXT = 'text_model.embeddings.token_embedding.weight';
