import { join } from 'node:path';
import { writeAtomic } from '../../../files/atomic';
import { readHeader } from '../../../architectures/folder/header';
import { readWeights } from '../../../architectures/folder/weight-files';
import type { WrittenTensor } from '../../../architectures/folder/write';
import { encodeSafetensors } from '../../../graph/file/safetensors';
import { readFileRef } from '../../../graph/values';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../../tasks/head';
import type { TaskClass } from '../../peft/task-class';
import type { Task } from '../../task/task';
import { headDims } from '../head';

/** A trained head beside a model whose classes have none like it. */
export const HEAD_FILE = 'head.safetensors';

type Parameters = ReadonlyMap<string, Float32Array>;

/** The trained head under the names of a class of transformers. It stays in float32. */
export function headTensors(task: Task, parameters: Parameters, { module }: TaskClass): WrittenTensor[] {
  const dims = headDims(task);
  return (['weight', 'bias'] as const).map((part) => ({
    name: `${module}.${part}`,
    dtype: 'F32',
    dims: dims[part],
    data: () => new Uint8Array(Float32Array.from(parameters.get(task.head![part])!).buffer),
  }));
}

/** The same in a file of its own, as `weight` and `bias`; for numbers, in their unit. */
export function writeHead(folder: string, task: Task, parameters: Parameters): void {
  const dims = headDims(task);
  const { scale, labels } = task.data;
  const { deviation = 1, mean = 0 } = scale ?? {};
  const weight = parameters.get(HEAD_WEIGHT)!.map((v) => v * deviation);
  const bias = parameters.get(HEAD_BIAS)!.map((v) => v * deviation + mean);
  const tensors = new Map([
    ['weight', { dims: dims.weight, data: weight }],
    ['bias', { dims: dims.bias, data: bias }],
  ]);
  const words = { labels: JSON.stringify(labels), pooling: task.head!.pooling ?? 'none' };
  writeAtomic(join(folder, HEAD_FILE), encodeSafetensors(tensors, words));
}

/** The head of a written folder, as a task's parameters. @param at its path in the model; undefined if it is beside it */
export function readHead(
  folder: string,
  { head, data: { scale } }: Task,
  at?: string,
): Map<string, Float32Array> {
  if (!head) return new Map();
  const tensors = at === undefined ? readHeader(join(folder, HEAD_FILE)) : readWeights(folder).tensors;
  const part = (name: string) => {
    const bytes = readFileRef(tensors.get(at === undefined ? name : `${at}.${name}`)!.data);
    return new Float32Array(Uint8Array.from(bytes).buffer);
  };
  const { deviation = 1, mean = 0 } = (at === undefined && scale) || {};
  return new Map([
    [head.weight, part('weight').map((v) => v / deviation)],
    [head.bias, part('bias').map((v) => (v - mean) / deviation)],
  ]);
}
