import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lengthOf } from '../../data/batch';
import { sizesOf } from '../../data/dataset';
import { epochOrder } from '../../data/row-order';
import { openEvaluator } from '../../engine/open-task';
import { CPU } from '../../engine/place';
import { flushFolder, renameFlushed } from '../../files/folder';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { DType } from '../../graph/dtype';
import { batchFeeds, modelInputs } from '../../tasks/task-data';
import { MicroBatches } from '../micro-batch/micro-batches';
import { initialParameters, type Task } from '../task/task';
import { layersPrefix, pooledPrefix, type Prefix } from './prefix';
import { type ComputeOptions, computeValues, FrozenValues, hasSpace, valuesKey } from './frozen-values';

export interface ReuseOptions extends ComputeOptions {
  /**
   * The folder in which values are kept, shared between a sweep's trials. Not in `folder`, which is removed with its
   * graphs.
   */
  keep: string;
  /**
   * True to compute also the layers below the lowest adapter, for trials on the CPU, where these values are computed.
   */
  layers?: boolean;
}

export interface Reuse {
  task: Task;
  /** The tensor up to which nothing is recomputed; undefined if everything is. */
  upTo?: string;
  /** The values had already been computed, by another trial. */
  found?: boolean;
  /** Seconds spent computing the values. */
  seconds: number;
}

/** Above this size, the model runs at every step. */
const LIMIT_BYTES = 2 ** 32;

/**
 * Computes the constant part of all steps once: the whole model if only a head is trained, and, between a sweep's
 * trials on the CPU, also everything below the lowest adapter. If a batch then gives other numbers than the whole
 * model, for example because the model sees its padding, everything is computed, and this is recorded for the next
 * trials.
 */
export async function withFrozenPrefix(task: Task, options: ReuseOptions): Promise<Reuse> {
  const { keep, layers, threads } = options;
  // Values of packed texts depend on the row that a text is in.
  const packed = task.graph.documents !== undefined;
  if (packed || task.kind.varies(task.spec) || task.kind.compared) return { task, seconds: 0 };
  const prefix = pooledPrefix(task) ?? (layers ? layersPrefix(task) : undefined);
  if (!prefix) return { task, seconds: 0 };
  const key = await valuesKey(task, prefix, threads);
  const path = join(keep, `${key}.frozen`);
  const datasets = [task.data.train.dataset, task.data.validation.dataset];
  const values = new FrozenValues(path, prefix, datasets);
  // An empty file records that the values do not give the same logits.
  const found = hasSize(path, [0, values.bytes]);
  let seconds = 0;
  if (!found) {
    mkdirSync(keep, { recursive: true });
    if (values.bytes > LIMIT_BYTES || !hasSpace(values)) return { task, seconds: 0 };
    removeAbandoned(keep);
    // Processes of other machines share the folder, and have the same process ids.
    const own = new FrozenValues(temporaryBeside(path), prefix, datasets);
    try {
      const began = performance.now();
      await computeValues(task, prefix, own, options);
      seconds = (performance.now() - began) / 1000;
      const isSame = await givesTheSame(task, restTask(task, prefix, own), options);
      // The model was written in the meantime: the values match no known model, and the run's own watch stops it.
      if ((await valuesKey(task, prefix, threads)) !== key) return { task, seconds };
      publish(own.path, path, isSame, [0, values.bytes]);
    } finally {
      rmSync(own.path, { force: true });
    }
  }
  if (sizeOf(path) === 0) return { task, seconds };
  return { task: restTask(task, prefix, values), upTo: prefix.tensor, found, seconds };
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? -1;

const hasSize = (path: string, sizes: readonly number[]): boolean => sizes.includes(sizeOf(path));

/**
 * Gives the values their name, unless another trial was faster: on NFS, a file that is replaced is gone for those on other
 * machines who are reading it.
 *
 * @param sizes of a whole file
 */
function publish(from: string, to: string, isSame: boolean, sizes: readonly number[]): void {
  if (!isSame) {
    truncateSync(from);
    const file = openSync(from, 'r+');
    fsyncSync(file);
    closeSync(file);
  }
  try {
    linkSync(from, to);
    flushFolder(dirname(to));
  } catch (e) {
    const isThere = (e as NodeJS.ErrnoException).code === 'EEXIST';
    // It was cut short, or the file system has no links.
    if (!isThere || !hasSize(to, sizes)) renameFlushed(from, to);
  }
}

/** For a head, whose features come from the CPU while it may be on another device. Relative to the largest logit. */
const ROUNDING = 1e-5;

/**
 * True if batches give the same logits either way, below adapters bit for bit. Checks the first epoch's batches most
 * likely to differ, since another padding or batch size may change a runtime's summation order.
 */
async function givesTheSame(whole: Task, rest: Task, { folder, threads }: ReuseOptions): Promise<boolean> {
  const { dataset } = whole.data.train;
  const batches = epochOrder(dataset, { ...whole.spec.training, epoch: 0 });
  const lengths = Array.from(sizesOf(dataset));
  const shortest = lengths.indexOf(lengths.reduce((a, b) => Math.min(a, b), Infinity));
  const tried = new Set([
    batches[0],
    batches.at(-1)!,
    batches.find((b) => b.includes(shortest))!,
    [shortest],
  ]);
  const parameters = initialParameters(whole);
  const logitsOf = async (task: Task, name: string) => {
    const { model, infos, graph, feeds } = task;
    const evaluator = await openEvaluator(model, infos, graph, join(folder, name), { threads });
    const micro = new MicroBatches(task, evaluator, CPU, () => undefined);
    try {
      const all: number[][] = [];
      for (const batch of tried)
        await micro.run('evaluation', dataset, batch, async (parts) => {
          const found = new Map<number, number[]>();
          for (const { indices, length } of parts) {
            const { logits } = await evaluator.evaluate(await feeds(dataset, indices, length), parameters);
            const classes = logits.data.length / indices.length;
            const rows = Array.from(logits.data as Float32Array);
            indices.forEach((example, i) => found.set(example, rows.slice(i * classes, (i + 1) * classes)));
          }
          all.push(...batch.map((example) => found.get(example)!));
        });
      return all.flat();
    } finally {
      await evaluator.dispose();
    }
  };
  const [a, b] = [await logitsOf(whole, 'whole'), await logitsOf(rest, 'rest')];
  const largest = a.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  const allowed = whole.adapters.length > 0 ? 0 : ROUNDING * largest;
  return a.every((x, i) => Math.abs(x - b[i]) <= allowed);
}

/** A task on the rest after a prefix, with the prefix's values as input. */
function restTask(task: Task, { tensor, width, perToken, rest }: Prefix, values: FrozenValues): Task {
  const { graph, output } = rest;
  const model = { ...task.model, graph };
  const others = modelInputs(model).filter((i) => i.name !== tensor);
  const info = { dtype: DType.float, shape: perToken ? ['batch', 'sequence', width] : ['batch', width] };
  return {
    ...task,
    model,
    // The output is either the model's own or the prefix's values themselves.
    infos: new Map([[output, info], ...task.infos, [tensor, info]]),
    graph: { ...task.graph, output },
    // The images have been read already.
    readAhead: () => undefined,
    async feeds(dataset, indices, length = lengthOf(dataset, indices)) {
      const rows = perToken ? length : 1;
      const dims = perToken ? [indices.length, length, width] : [indices.length, width];
      const frozen = { dtype: DType.float, dims, data: values.read(dataset, indices, rows) };
      return { ...(await batchFeeds(task.kind, others, dataset, indices, length)), [tensor]: frozen };
    },
  };
}
