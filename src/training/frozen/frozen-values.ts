import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, statfsSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { dirname } from 'node:path';
import { version } from '../../../package.json';
import { AuroraError } from '../../base/errors';
import { nameTable } from '../../base/names';
import { sortedJson } from '../../base/sorted-json';
import { type Dataset, sizeOf } from '../../data/dataset';
import { evaluationOrder } from '../../data/row-order';
import { deviceGraph } from '../../engine/onnxruntime/device-graph';
import { openSession } from '../../engine/onnxruntime/session';
import { CPU } from '../../engine/place';
import type { Evaluator } from '../../engine/stepper';
import { diskError, writeAll } from '../../files/atomic';
import { hashFile } from '../../files/hash';
import { reopening } from '../../files/read';
import { saveByReference } from '../../graph/file/save';
import { isFileRef } from '../../graph/model';
import type { HostTensors } from '../../graph/tensor-infos';
import { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import type { Prefix } from './prefix';

const FLOAT_BYTES = 4;

/**
 * A prefix's values for every example of some data sets, in a file: float32, one row for each example, or for each of
 * its tokens without padding. Read batch by batch; the system caches as much as fits in memory.
 */
export class FrozenValues {
  /** Size of the whole file. */
  readonly bytes: number;
  private readonly starts = new Map<Dataset, number[]>();

  constructor(
    readonly path: string,
    readonly prefix: Pick<Prefix, 'width' | 'perToken'>,
    datasets: readonly Dataset[],
  ) {
    let at = 0;
    for (const dataset of datasets) {
      const starts = Array.from({ length: dataset.examples.length }, (_, i) => {
        const start = at;
        at += FLOAT_BYTES * prefix.width * this.rows(dataset, i);
        return start;
      });
      this.starts.set(dataset, starts);
    }
    this.bytes = at;
  }

  rows(dataset: Dataset, example: number): number {
    return this.prefix.perToken ? sizeOf(dataset, example) : 1;
  }

  /** Byte offset of an example. */
  start(dataset: Dataset, example: number): number {
    return this.starts.get(dataset)![example];
  }

  /** Values of some examples, each padded with zeros to `rows` rows. */
  read(dataset: Dataset, examples: readonly number[], rows: number): Float32Array {
    try {
      return reopening(() => this.readOnce(dataset, examples, rows));
    } catch (cause) {
      if (cause instanceof AuroraError) throw cause;
      throw this.gone(`can no longer be read (${(cause as NodeJS.ErrnoException).code})`);
    }
  }

  private readOnce(dataset: Dataset, examples: readonly number[], rows: number): Float32Array {
    const { width } = this.prefix;
    const out = new Float32Array(examples.length * rows * width);
    const bytes = new Uint8Array(out.buffer);
    const file = openSync(this.path, 'r');
    try {
      examples.forEach((example, i) => {
        const length = FLOAT_BYTES * width * this.rows(dataset, example);
        const at = FLOAT_BYTES * width * rows * i;
        if (readSync(file, bytes, at, length, this.start(dataset, example)) !== length)
          throw this.gone('has been truncated');
      });
    } finally {
      closeSync(file);
    }
    return out;
  }

  private gone(what: string): AuroraError {
    return new AuroraError(
      'disk',
      `The file of precomputed values ${this.path} ${what}.`,
      'Resume the run or its sweep: the file is computed again.',
    );
  }
}

export interface ComputeOptions {
  /** For temporary graphs. */
  folder: string;
  threads: number;
  warn: (message: string) => void;
}

/** The values may take at most this share of the free disk space. */
const SHARE = 0.5;

export function hasSpace(values: FrozenValues): boolean {
  const { bavail, bsize } = statfsSync(dirname(values.path));
  return values.bytes <= SHARE * bavail * bsize;
}

/** Runs a prefix once on every example and writes its values to the file of `values`. */
export async function computeValues(
  task: Task,
  { model, tensor, width }: Prefix,
  values: FrozenValues,
  { folder, threads, warn }: ComputeOptions,
): Promise<void> {
  const session = await openSession(saveByReference(deviceGraph(model, 'cpu'), folder, 'frozen.onnx'), {
    threads,
  });
  const run = async (inputs: HostTensors) => {
    const used = nameTable(model.graph.inputs.map((i) => [i.name, inputs[i.name]] as const));
    return (await session.run(used))[tensor];
  };
  const evaluator: Evaluator = {
    evaluate: async (inputs) => ({ lossSum: 0, count: 0, logits: await run(inputs), observed: new Map() }),
    dispose: () => session.dispose(),
  };
  const micro = new MicroBatches(task, evaluator, CPU, warn);
  const file = openFile(values.path);
  try {
    for (const { dataset } of [task.data.train, task.data.validation])
      for (const batch of evaluationOrder(dataset, task.spec.training.batchSize))
        await micro.run('evaluation', dataset, batch, async (parts) => {
          for (const { indices, length } of parts) {
            const { data } = await run(await task.feeds(dataset, indices, length));
            const size = data.length / indices.length;
            indices.forEach((example, i) => {
              const rows = (data as Float32Array).subarray(
                i * size,
                i * size + values.rows(dataset, example) * width,
              );
              write(file, values, rows, values.start(dataset, example));
            });
          }
        });
    fsyncSync(file);
  } finally {
    closeSync(file);
    await session.dispose();
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (e) {
    throw diskError(path, e);
  }
}

function write(file: number, { path }: FrozenValues, rows: Float32Array, at: number): void {
  try {
    writeAll(file, new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength), at);
  } catch (e) {
    throw diskError(path, e);
  }
}

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
