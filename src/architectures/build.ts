import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../base/errors';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../graph/model';
import { Network, TASK_PREFIX } from './blocks/network';
import { FAMILIES } from './families/family-registry';
import type { Family } from './family';
import { readConfig } from './folder/config';
import { withPacked } from './folder/few-bits/packed-weights';
import { quantizationOf } from './folder/few-bits/quantization';
import { typeOf } from './folder/type';
import { readWeights, type StoredWeights } from './folder/weight-files';
import { Weights } from './folder/weights';
import { addHeads } from './heads/heads';
import { unknownType } from './unknown-type/unknown-type';

/** A model of a folder, with its weights where they are stored. */
export interface Built {
  model: Model;
  weights: Weights;
  stored: StoredWeights;
  /** `model_type` in config.json, or diffusers' `_class_name`. */
  type: string;
  /** The prefix of the base model's names in transformers' task models. */
  taskPrefix: string;
}

/**
 * Writes the graph of a folder.
 *
 * @param path of its config.json
 * @param part the part that is made of it, if not the whole model of its type
 * @throws AuroraError where the folder cannot be used
 */
export function buildModel(path: string, part?: Family): Built {
  const folder = dirname(path);
  const config = readConfig(path);
  const type = typeOf(config);
  const family = part ?? FAMILIES.get(type);
  if (!family) throw besideOnnx(folder, unknownType(config));
  const quantization = quantizationOf(config);
  const stored = withPacked(readWeights(folder), quantization);
  const keeps = quantization?.method === 'bitsandbytes' ? quantization.keeps : undefined;
  const weights = new Weights(stored, folder, family.prefixes, family.marker, family.outer, keeps);
  const built = (cached: boolean): Model => {
    const net = new Network(weights, cached);
    config.whole((settings) => {
      settings.require('pruned_heads', {});
      // Layers that differ from the others, in any family from transformers 5.15 on.
      settings.require('per_layer_config', {});
      family.build(net, settings);
      if (!cached && !part) addHeads(net, settings, type);
    });
    net.metadata.set(TASK_PREFIX, family.prefixes[0]);
    return {
      irVersion: INTERNAL_IR_VERSION,
      producer: 'aurora-lab',
      opsets: new Map([['', INTERNAL_OPSET]]),
      graph: net.graph,
      metadata: net.metadata,
    };
  };
  const model = built(false);
  if (family.caches) model.withCache = () => built(true);
  return { model, weights, stored, type, taskPrefix: family.prefixes[0] };
}

/** Folders of an export have config.json, too. */
function besideOnnx(folder: string, error: AuroraError): AuroraError {
  const file = readdirSync(folder).find((name) => name.endsWith('.onnx'));
  if (file === undefined) return error;
  return new AuroraError(
    error.kind,
    error.message,
    `Use the ONNX file in the folder: ${join(folder, file)}.`,
  );
}
