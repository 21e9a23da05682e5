import { join } from 'node:path';
import { readHeader, type StoredTensor } from '../../../architectures/folder/header';
import { INDEX } from '../../../architectures/folder/weight-files';
import { bytesOf, writeTensors, type WrittenTensor } from '../../../architectures/folder/write';
import type { FolderWeights } from '../../../architectures/load';
import { writeAtomic } from '../../../files/atomic';
import type { ChangedWeights } from './changed-weights';

/** A head that takes the place of the folder's own. */
export interface NewHead {
  tensors: readonly WrittenTensor[];
  /** Before the base model's names in the class with this head. */
  prefix: string;
}

/** Where task models have their heads for labels. */
const LABEL_HEADS = /^(?:classifier|score|pre_classifier)\./;

/**
 * The weights of a folder with some values changed: the same files, names, types and order. With a new head, the
 * folder's own head for labels is left out, and the names get the prefix of the class that has it.
 */
export function writeWeights(
  folder: string,
  { shards, prefix }: FolderWeights,
  changed: ChangedWeights,
  withoutHead: boolean,
  head?: NewHead,
): void {
  const renamed = head && prefix === '' ? head.prefix : '';
  const map: Record<string, string> = {};
  let total = 0;
  let added = head?.tensors ?? [];
  for (const [file, path] of shards) {
    const stored = [...readHeader(path).values()].sort((a, b) => a.data.offset - b.data.offset);
    const kept = withoutHead ? stored.filter(({ name }) => !LABEL_HEADS.test(name)) : stored;
    const tensors = [...kept.map((t) => written(t, changed, renamed)), ...added];
    added = [];
    writeTensors(join(folder, file), tensors);
    for (const t of tensors) {
      map[t.name] = file;
      total += bytesOf(t);
    }
  }
  if (shards.size > 1) {
    const index = { metadata: { total_size: total }, weight_map: map };
    writeAtomic(join(folder, INDEX), `${JSON.stringify(index, null, 2)}\n`);
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
