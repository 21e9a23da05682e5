import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { epochOrder } from '../../data/order';
import { openEvaluator } from '../../engine/open';
import { CPU } from '../../engine/place';
import { renameFlushed } from '../../files/folder';
import { MicroBatches } from '../micro-batch/micro-batches';
import { initialParameters, type Task } from '../task/task';
import { computeValues, hasSpace, type ComputeOptions } from './compute';
import { valuesKey } from './key';
import { layersPrefix, pooledPrefix } from './prefix';
import { restTask } from './rest';
import { FrozenValues } from './values';

export interface ReuseOptions extends ComputeOptions {
  /** Where values are kept: the trials of a sweep do it for each other. Not in `folder`, which goes with its graphs. */
  keep: string;
  /** Also what lies below an adapter: in trials that train where it is computed, on the processor. */
  layers?: boolean;
}

export interface Reuse {
  task: Task;
  /** The tensor up to which nothing is computed any more; undefined where everything is. */
  upTo?: string;
  /** Computed by another trial. */
  found?: boolean;
  /** That computing the values took. */
  seconds: number;
}

/** Above this the model is run at every step. */
const LIMIT_BYTES = 2 ** 32;

/**
 * What no step changes is computed once: the whole model where only a head is trained, and between trials of a sweep
 * on the processor also what lies below the lowest adapter. Where a batch shows other numbers than the whole model has,
 * as with a model that sees its padding, everything is computed, and the next trials are told so.
 */
export async function withFrozenPrefix(task: Task, options: ReuseOptions): Promise<Reuse> {
  const { keep, layers, threads } = options;
  const prefix = pooledPrefix(task) ?? (layers ? layersPrefix(task) : undefined);
  if (!prefix) return { task, seconds: 0 };
  const key = await valuesKey(task, prefix, threads);
  const path = join(keep, `${key}.frozen`);
  const datasets = [task.data.train.dataset, task.data.validation.dataset];
  const values = new FrozenValues(path, prefix, datasets);
  // Of values that are not the same the file is empty.
  const found = [0, values.bytes].includes(sizeOf(path));
  let seconds = 0;
  if (!found) {
    mkdirSync(keep, { recursive: true });
    if (values.bytes > LIMIT_BYTES || !hasSpace(values)) return { task, seconds: 0 };
    const own = new FrozenValues(`${path}.${process.pid}`, prefix, datasets);
    try {
      const began = performance.now();
      await computeValues(task, prefix, own, options);
      seconds = (performance.now() - began) / 1000;
      const isSame = await givesTheSame(task, restTask(task, prefix, own), options);
      // The model was written meanwhile: the values are of no known one, and the run's own watch stops it.
      if ((await valuesKey(task, prefix, threads)) !== key) return { task, seconds };
      publish(own.path, path, isSame);
    } finally {
      rmSync(own.path, { force: true });
    }
  }
  if (sizeOf(path) === 0) return { task, seconds };
  return { task: restTask(task, prefix, values), upTo: prefix.tensor, found, seconds };
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? -1;

function publish(from: string, to: string, isSame: boolean): void {
  if (!isSame) {
    truncateSync(from);
    const file = openSync(from, 'r+');
    fsyncSync(file);
    closeSync(file);
  }
  renameFlushed(from, to);
}

/** Of the largest logit, where a head is trained on what may be computed on another device than it is. */
const ROUNDING = 1e-5;

/**
 * Whether batches give the same logits either way, below adapters to the bit: those of the first epoch that would tell
 * first, since another padding or another number of texts at once may let a runtime add up in another order.
 */
async function givesTheSame(whole: Task, rest: Task, { folder, threads }: ReuseOptions): Promise<boolean> {
  const { dataset } = whole.data.train;
  const batches = epochOrder(dataset, { ...whole.spec.training, epoch: 0 });
  const lengths = dataset.examples.map((e) => e.size);
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
            const { logits } = await evaluator.evaluate(feeds(dataset, indices, length), parameters);
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
