import { join } from 'node:path';
import { readHeader, type StoredTensor } from '../../architectures/folder/header';
import { bytesOf, writeTensors, type WrittenTensor } from '../../architectures/folder/write';
import type { FolderWeights } from '../../architectures/load';
import { writeAtomic } from '../../files/atomic';
import type { ChangedWeights } from './changed-weights';

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
