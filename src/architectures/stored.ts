import { dirname, resolve } from 'node:path';
import { isHubModel, modelFile } from '../files/model-path';
import { dtypeName } from '../graph/dtype';
import { elementCount, isFileRef, type Model } from '../graph/model';
import type { StoredModel } from '../graph/summary';
import { POSITIONS } from './blocks/network';
import { readConfig } from './folder/config';
import { typeOf } from './folder/type';
import { readWeights } from './folder/weight-files';

/** safetensors' names for the types that ONNX names otherwise. */
const TYPES: Readonly<Record<string, string>> = { F32: 'float', F16: 'float16', BF16: 'bfloat16' };

/** Types of buffers that old checkpoints keep beside the weights, such as position_ids. */
const BUFFERS = new Set(['I64', 'BOOL']);

/** From the headers of a folder's weights, or from an ONNX file's own tensors. */
export function storedModel(path: string, { graph, metadata }: Model): StoredModel {
  if (!isHubModel(path))
    return {
      weights: added(
        [...graph.initializers.values()].map(({ dtype, dims, data }) => ({
          type: dtypeName(dtype),
          bytes: elementCount(dims) === 0 ? 0 : isFileRef(data) ? data.length : data.byteLength,
        })),
      ),
    };
  const file = modelFile(resolve(path));
  const positions = metadata.get(POSITIONS);
  const tensors = [...readWeights(dirname(file)).tensors.values()].filter((t) => !BUFFERS.has(t.dtype));
  return {
    family: typeOf(readConfig(file)),
    ...(positions !== undefined && { positions: Number(positions) }),
    weights: added(tensors.map(({ dtype, data }) => ({ type: TYPES[dtype] ?? dtype, bytes: data.length }))),
  };
}

function added(parts: StoredModel['weights']): StoredModel['weights'] {
  const bytes = new Map<string, number>();
  for (const part of parts) bytes.set(part.type, (bytes.get(part.type) ?? 0) + part.bytes);
  return [...bytes].map(([type, n]) => ({ type, bytes: n })).sort((a, b) => b.bytes - a.bytes);
}
