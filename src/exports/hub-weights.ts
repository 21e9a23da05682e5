import { join } from 'node:path';
import { mergedWeights } from '../adapters/merge';
import { methodOf } from '../adapters/methods/registry';
import { readHeader, readWeights, type StoredTensor } from '../architectures/folder/weight-files';
import { bytesOf, writeTensors, type WrittenTensor } from '../architectures/folder/weights';
import type { FolderWeights } from '../architectures/load';
import { AuroraError } from '../base/errors';
import { append } from '../base/gathered';
import { writeAtomic } from '../files/atomic';
import { encodeSafetensors } from '../graph/file/safetensors';
import type { Tensor } from '../graph/model';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from '../graph/number-formats';
import { readFileRef, tensorValues } from '../graph/values';
import type { TaskClass } from '../peft/adapter-config';
import type { Rounding } from '../protocol/export';
import type { Task } from '../training/task/task';
import { headDims } from './logits-head';

/** A head that takes the place of the folder's own. */
export interface NewHead {
  tensors: readonly WrittenTensor[];
  /** Before the base model's names in the class with this head. */
  prefix: string;
}

/** A test for the tensors of a folder's own head that are left out, by name. */
export type LeftOut = (name: string) => boolean;

/** The places of the heads for labels in task models. */
export const isLabelHead: LeftOut = (name) => /^(?:classifier|score|pre_classifier)\./.test(name);

/**
 * The weights of a folder with some values changed: the same files, names, types and order. With a new head, the
 * names get the prefix of the class that has it.
 */
export function writeWeights(
  folder: string,
  { shards, index, prefix }: Pick<FolderWeights, 'shards' | 'index' | 'prefix'>,
  changed: ChangedWeights,
  leftOut: LeftOut,
  head?: NewHead,
): void {
  const renamed = head && prefix === '' ? head.prefix : '';
  const map: Record<string, string> = {};
  let total = 0;
  let added = head?.tensors ?? [];
  for (const [file, path] of shards) {
    const stored = [...readHeader(path).values()].sort((a, b) => a.data.offset - b.data.offset);
    const kept = stored.filter(({ name }) => !leftOut(name));
    const tensors = [...kept.map((t) => written(t, changed, renamed)), ...added];
    added = [];
    writeTensors(join(folder, file), tensors);
    for (const t of tensors) {
      map[t.name] = file;
      total += bytesOf(t);
    }
  }
  // transformers finds only this file without an index.
  if (index !== undefined) {
    const content = { metadata: { total_size: total }, weight_map: map };
    writeAtomic(join(folder, index), `${JSON.stringify(content, null, 2)}\n`);
  }
}

function written(stored: StoredTensor, changed: ChangedWeights, prefix: string): WrittenTensor {
  const { name, dtype, dims, data } = stored;
  return {
    name: prefix + name,
    dtype,
    dims,
    data: changed.has(stored) ? () => changed.bytes(stored) : data,
  };
}

const SIXTEEN_BITS = {
  F16: { encode: toHalf, decode: fromHalf },
  BF16: { encode: toBfloat16, decode: fromBfloat16 },
};

/** Components of a pipeline may have weights of the same name. */
const placeOf = ({ name, data }: StoredTensor): string => `${data.path}\0${name}`;

/** A weight that an adapter changes: before, and with it; undefined if it changes only the bias, or only the weight. */
interface Change {
  before: Tensor;
  merged: () => Tensor | undefined;
}

interface Merged {
  values: Float32Array;
  before: () => Float32Array;
}

function mergedBy({ before, merged }: Change, { name }: StoredTensor): Merged | undefined {
  const tensor = merged();
  if (!tensor) return undefined;
  const values = tensorValues(tensor) as Float32Array;
  requireFinite(name, values);
  return { values, before: () => tensorValues(before) as Float32Array };
}

/**
 * The stored weights that a run's adapters change. Each is merged when it is written, so that memory holds one at a time.
 */
export class ChangedWeights {
  private readonly errors = new RoundingErrors();
  private type: 'F16' | 'BF16' | undefined;
  /** The function that gives the values, and the weight before, by file and name in it. */
  private readonly changes = new Map<string, Change>();
  /** Changes of parts of a weight, such as the matrices of experts in one tensor, by that weight's file and name. */
  private readonly parts = new Map<string, (Change & { stored: StoredTensor })[]>();

  /** @throws AuroraError 'model' for an adapter on a weight that the embedding has too, or a bias without a place */
  constructor(
    { adapters, spec }: Task,
    parameters: ReadonlyMap<string, Float32Array>,
    places: ReadonlyMap<string, StoredTensor>,
  ) {
    for (const adapter of adapters) {
      const { layer } = adapter;
      if (adapter.beside === 'tied') continue;
      if (layer.sharedWith.length > 0)
        throw new AuroraError(
          'model',
          `${layer.path} has the same weight as ${layer.sharedWith.join(', ')} in ${spec.model.path}, so an adapter of it alone cannot be merged.`,
          'Export with --as onnx-merged, or leave the layer out with adapter.excludeModules.',
        );
      if (!layer.bias && methodOf(adapter.spec).changesBias?.(adapter.spec, layer))
        throw new AuroraError(
          'model',
          `${layer.path} has no bias in ${spec.model.path}, so the adapter’s bias (adapter.loraBias) cannot be merged into it.`,
          'Export with --as onnx-merged, or leave the layer out with adapter.excludeModules.',
        );
      for (const before of [layer.weight, ...(layer.bias ? [layer.bias.tensor] : [])]) {
        const stored = places.get(before.name)!;
        const merged = () => mergedWeights([adapter], parameters).changed.get(before.name);
        if (stored.whole) append(this.parts, placeOf(stored.whole), { stored, before, merged });
        else this.changes.set(placeOf(stored), { before, merged });
      }
    }
  }

  has(stored: StoredTensor): boolean {
    return this.changes.has(placeOf(stored)) || this.parts.has(placeOf(stored));
  }

  /** A weight with its adapter in float32, and as it was before; undefined if nothing changes it. */
  merged(stored: StoredTensor): Merged | undefined {
    const found = this.changes.get(placeOf(stored));
    return found && mergedBy(found, stored);
  }

  /** A weight with its adapter, or with those of its parts, in its stored type. */
  bytes(stored: StoredTensor): Uint8Array {
    const merged = this.merged(stored);
    if (merged) return this.encoded(stored, merged);
    const bytes = readFileRef(stored.data);
    for (const change of this.parts.get(placeOf(stored)) ?? []) {
      const part = mergedBy(change, change.stored);
      if (part) bytes.set(this.encoded(change.stored, part), change.stored.data.offset - stored.data.offset);
    }
    return bytes;
  }

  private encoded({ name, dtype }: StoredTensor, { values, before }: Merged): Uint8Array {
    if (dtype === 'F32') return new Uint8Array(values.buffer);
    this.type = dtype as 'F16' | 'BF16';
    const { encode, decode } = SIXTEEN_BITS[this.type];
    const out = new Uint16Array(values.length);
    const kept = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      out[i] = encode(values[i]);
      kept[i] = decode(out[i]);
    }
    this.errors.add(values, kept, before());
    requireFinite(name, kept);
    return new Uint8Array(out.buffer);
  }

  /** The error added by storing them in 16 bits; undefined in float32. */
  get rounding(): Rounding | undefined {
    return this.type && this.errors.of(this.type);
  }
}

/** The errors of merged weights that are stored in fewer bits. */
export class RoundingErrors {
  private largest = 0;
  private lost = 0;
  private change = 0;

  /** @param kept the values as they are stored, and `before` those without the adapter */
  add(values: Float32Array, kept: Float32Array, before: Float32Array): void {
    for (let i = 0; i < values.length; i++) {
      const off = Math.abs(kept[i] - values[i]);
      this.largest = Math.max(this.largest, off);
      this.lost += off ** 2;
      this.change += (values[i] - before[i]) ** 2;
    }
  }

  of(type: Rounding['type']): Rounding {
    const { largest, lost, change } = this;
    return { type, largest, share: change === 0 ? 0 : Math.sqrt(lost / change) };
  }
}

function requireFinite(name: string, values: Float32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new AuroraError(
    'model',
    `The merged weight ${name} has values that its stored type cannot hold.`,
    'Choose an earlier checkpoint with --at, or export with --as onnx-merged.',
  );
}

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
