import { closeSync, fsyncSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { evaluationOrder } from '../../data/order';
import type { HostTensors, Evaluator } from '../../engine/stepper';
import { deviceGraph } from '../../engine/onnxruntime/device-graph';
import { openSession } from '../../engine/onnxruntime/session';
import { CPU } from '../../engine/place';
import { diskError, writeAll } from '../../files/atomic';
import { saveByReference } from '../../graph/file/save';
import { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import type { Prefix } from './prefix';
import type { FrozenValues } from './values';
import { nameTable } from '../../base/names';

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
