import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { version } from '../../../package.json';
import { isFileRef } from '../../graph/model';
import { sortedJson } from '../../shared/sorted-json';
import type { Task } from '../task';
import type { Prefix } from './prefix';

/** A name for a prefix's values: of trials with the same name they are the same bits. */
export function valuesKey(task: Task, { tensor, width, perToken }: Prefix, threads: number): string {
  const { model, training } = task.spec;
  const hash = createHash('sha256').update(
    sortedJson({
      version,
      files: modelFiles(task).map((path) => {
        const { size, mtimeMs } = statSync(path);
        return [path, size, mtimeMs];
      }),
      output: model.output,
      pooling: task.head?.pooling,
      prefix: [tensor, width, perToken],
      // Other parts and other threads may give other bits.
      batchSize: training.batchSize,
      microBatchSize: training.microBatchSize,
      threads,
    }),
  );
  for (const { dataset } of [task.data.train, task.data.validation]) {
    hash.update(`${dataset.padId}`);
    for (const { ids, typeIds } of dataset.examples) {
      hash.update(`,${ids.length}`).update(ids);
      if (typeIds) hash.update(typeIds);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** The model's own, and those that hold its weights. */
function modelFiles({ spec, original }: Task): string[] {
  const weights = [...original.graph.initializers.values()].flatMap(({ data }) =>
    isFileRef(data) ? [data.path] : [],
  );
  return [...new Set([spec.model.path, ...weights])].sort();
}
