import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { readHeader } from '../../architectures/folder/header';
import { readWeights } from '../../architectures/folder/weight-files';
import type { WrittenTensor } from '../../architectures/folder/write';
import { encodeSafetensors } from '../../graph/file/safetensors';
import { readFileRef } from '../../graph/values';
import type { TaskClass } from '../../peft/config';
import type { Task } from '../../training/task/task';
import { headDims } from '../head';

/** A trained head beside a model whose classes have none like it. */
export const HEAD_FILE = 'head.safetensors';

type Parameters = ReadonlyMap<string, Float32Array>;

/** The trained head as two tensors in float32; for numbers, in their unit. */
function valuesOf(
  { data, head }: Task,
  parameters: Parameters,
): { weight: Float32Array; bias: Float32Array } {
  const { deviation = 1, mean = 0 } = data.scale ?? {};
  return {
    weight: parameters.get(head!.weight)!.map((v) => v * deviation),
    bias: parameters.get(head!.bias)!.map((v) => v * deviation + mean),
  };
}

/** The trained head under the names of a class of transformers. */
export function headTensors(task: Task, parameters: Parameters, { module }: TaskClass): WrittenTensor[] {
  const dims = headDims(task);
  const values = valuesOf(task, parameters);
  return (['weight', 'bias'] as const).map((part) => ({
    name: `${module}.${part}`,
    dtype: 'F32',
    dims: dims[part],
    data: () => new Uint8Array(values[part].buffer),
  }));
}

/** Writes the head to a separate file, as `weight` and `bias`. */
export function writeHead(folder: string, task: Task, parameters: Parameters): void {
  const dims = headDims(task);
  const { weight, bias } = valuesOf(task, parameters);
  const tensors = new Map([
    ['weight', { dims: dims.weight, data: weight }],
    ['bias', { dims: dims.bias, data: bias }],
  ]);
  const words = { labels: JSON.stringify(task.data.labels), pooling: task.head!.pooling ?? 'none' };
  writeAtomic(join(folder, HEAD_FILE), encodeSafetensors(tensors, words));
}

/** The head of a written folder, as a task's parameters. @param at its path in the model; undefined if it is beside it */
export function readHead(folder: string, { head, data }: Task, at?: string): Map<string, Float32Array> {
  if (!head) return new Map();
  const tensors = at === undefined ? readHeader(join(folder, HEAD_FILE)) : readWeights(folder).tensors;
  const part = (name: string) => {
    const bytes = readFileRef(tensors.get(at === undefined ? name : `${at}.${name}`)!.data);
    return new Float32Array(Uint8Array.from(bytes).buffer);
  };
  const { deviation = 1, mean = 0 } = data.scale ?? {};
  return new Map([
    [head.weight, part('weight').map((v) => v / deviation)],
    [head.bias, part('bias').map((v) => (v - mean) / deviation)],
  ]);
}
