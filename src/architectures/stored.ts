import { own } from '../base/names';
import { dirname } from 'node:path';
import { dtypeName } from '../graph/dtype';
import { loadModel } from '../graph/file/load';
import { elementCount, isFileRef, type Graph, type Model } from '../graph/model';
import type { StoredModel, StoredWeight } from '../graph/summary';
import { FAMILIES } from './families/family-registry';
import { POSITIONS } from './blocks/network';
import { readConfig } from './folder/config';
import { withPacked } from './folder/few-bits/packed-weights';
import { quantizationOf } from './folder/few-bits/quantization';
import { typeOf } from './folder/type';
import { readWeights } from './folder/weight-files';
import type { ModelPart, ModelSource, Pipeline } from './model-source';

/** safetensors' names for the types that ONNX names otherwise. */
const TYPES: Readonly<Record<string, string>> = { F32: 'float', F16: 'float16', BF16: 'bfloat16' };

/** Types of buffers that old checkpoints keep beside the weights, such as position_ids. */
const BUFFERS = new Set(['I64', 'BOOL']);

/** The stored facts about a model, from the headers of a folder's weights, or from an ONNX file's own tensors. */
export function storedModel(source: ModelSource, { graph, metadata }: Model): StoredModel {
  switch (source.kind) {
    case 'onnx':
      return { weights: storedPart(source, graph).weights };
    case 'pipeline': {
      const { family, weights } = storedPart(source.unet, graph);
      return { family, weights, parts: partsOf(source) };
    }
    case 'hub': {
      const positions = metadata.get(POSITIONS);
      const { family, weights } = storedPart(source, graph);
      const decoder = FAMILIES.get(family ?? '')?.caches;
      return {
        family,
        ...(decoder && { decoder }),
        positions: positions === undefined ? undefined : Number(positions),
        weights,
      };
    }
  }
}

/** The parts of a pipeline beside its U-Net. */
function partsOf({ vae, textEncoders }: Pipeline): StoredModel['parts'] {
  const { encoder, decoder } = vae;
  const halves = [
    { name: 'vae_encoder', model: encoder },
    { name: 'vae_decoder', model: decoder },
  ];
  const models = [
    ...(encoder.file === decoder.file ? [{ name: 'vae', model: encoder }] : halves),
    ...textEncoders,
  ];
  return models.map(({ name, model }) => ({ name, ...storedPart(model) }));
}

type StoredPart = NonNullable<StoredModel['parts']>[number];

/** @param read the graph of an ONNX file, if it was read already */
function storedPart({ kind, file }: ModelPart, read?: Graph): Omit<StoredPart, 'name'> {
  if (kind === 'onnx') {
    const tensors = [...(read ?? loadModel(file).graph).initializers.values()];
    return {
      family: 'ONNX',
      parameters: sum(tensors.map((t) => elementCount(t.dims))),
      weights: added(
        tensors.map(({ dtype, dims, data }) => ({
          type: dtypeName(dtype),
          bytes: elementCount(dims) === 0 ? 0 : isFileRef(data) ? data.length : data.byteLength,
        })),
      ),
    };
  }
  const config = readConfig(file);
  const { tensors: all } = withPacked(readWeights(dirname(file)), quantizationOf(config));
  const tensors = [...all.values()].filter((t) => !BUFFERS.has(t.dtype));
  return {
    family: typeOf(config),
    parameters: sum(tensors.map((t) => elementCount(t.dims))),
    weights: added(
      tensors.map(({ dtype, data, packed }) => ({
        type: own(TYPES, dtype) ?? dtype,
        bytes: sum((packed?.stored ?? [{ data }]).map((part) => part.data.length)),
      })),
    ),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function added(parts: readonly StoredWeight[]): StoredWeight[] {
  const bytes = new Map<string, number>();
  for (const part of parts) bytes.set(part.type, (bytes.get(part.type) ?? 0) + part.bytes);
  return [...bytes].map(([type, n]) => ({ type, bytes: n })).sort((a, b) => b.bytes - a.bytes);
}
