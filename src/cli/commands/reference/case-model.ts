import { own } from '../../../base/names';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource } from '../../../architectures/model-source';
import { loadTextEncoder, loadWithTextEncoders } from '../../../architectures/pipeline';
import type { Model } from '../../../graph/model';
import type { ReferenceCase } from './case';

/**
 * The model of a case. A pipeline's text encoders belong to it if the case has their inputs; CLIP's text model without a
 * mask is that of a pipeline.
 */
export function caseModel(path: string, { inputs }: ReferenceCase): Model {
  const has = (name: string) => own(inputs ?? {}, name) !== undefined;
  const source = modelSource(path);
  if (source.kind === 'pipeline' && has('input_ids')) return loadWithTextEncoders(source);
  const model = loadModelFrom(source);
  const isText = source.kind === 'hub' && model.graph.initializers.has(CLIP_TEXT);
  return isText && has('input_ids') && !has('attention_mask') ? loadTextEncoder(source) : model;
}

const CLIP_TEXT = 'text_model.embeddings.token_embedding.weight';
