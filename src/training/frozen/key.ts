import { createHash } from 'node:crypto';
import { arch, cpus } from 'node:os';
import { version } from '../../../package.json';
import { hashFile } from '../../files/hash';
import { isFileRef } from '../../graph/model';
import { sortedJson } from '../../base/sorted-json';
import type { Task } from '../task/task';
import type { Prefix } from './prefix';

/**
 * A key for a prefix's values: trials with the same key have the same bits. The model's files are identified by their
 * content: the modification time can be set back, and the change time differs once another trial links to a file.
 */
export async function valuesKey(
  task: Task,
  { tensor, width, perToken }: Prefix,
  threads: number,
): Promise<string> {
  const { model, training } = task.spec;
  const files: [path: string, sha256: string][] = [];
  for (const path of modelFiles(task)) files.push([path, (await hashFile(path)).sha256]);
  const hash = createHash('sha256').update(
    sortedJson({
      version,
      files,
      output: model.output,
      pooling: task.head?.pooling,
      prefix: [tensor, width, perToken],
      // Splitting batches differently, or another number of threads, may give other bits.
      batchSize: training.batchSize,
      microBatchSize: training.microBatchSize,
      threads: threads || cpus().length,
      // Nodes of a cluster may have different ones.
      processor: [arch(), cpus()[0]?.model.trim()],
      precision: training.precision,
    }),
  );
  for (const { dataset } of [task.data.train, task.data.validation]) task.kind.hashInputs(dataset, hash);
  return hash.digest('hex').slice(0, 16);
}

/** The model file and its external weight files. */
function modelFiles({ spec, original }: Task): string[] {
  const weights = [...original.graph.initializers.values()].flatMap(({ data }) =>
    isFileRef(data) ? [data.path] : [],
  );
  return [...new Set([spec.model.path, ...weights])].sort();
}
