import type { LayerTokens } from '../../adapters/fit/linear-fit';
import { Moments } from '../../adapters/fit/moments';
import type { Sigma } from '../../adapters/fit/regression';
import { ownValues } from '../../adapters/merge';
import { anl } from '../../adapters/methods/anl';
import type { LayerAdapter } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { Turns } from '../../data/turns';
import { CPU } from '../../engine/place';
import type { Evaluator, HostTensor, HostTensors, Parameters } from '../../engine/stepper';
import { isNonlinear, type NonlinearSpec } from '../../experiment/methods';
import { batchRows } from '../batch-rows';
import { maskInput } from '../../tasks/head';
import { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import { FitGraph, type LayerGroup, type Observed, type ObservedCall, type Read } from './fit-graph';
import { KeptInputs } from './kept-inputs';
import { type DrawnRows, type FitPart, TrainingRows } from './training-rows';

export interface CollectOptions {
  /** Tokens to fit each layer on. */
  tokens: number;
  /** Called with the share of the work that is done. */
  progress: (share: number) => void | Promise<void>;
  signal?: AbortSignal;
}

/** An adapter with σ, and the tokens that it is fitted on. */
export interface CollectedLayer extends LayerTokens {
  adapter: LayerAdapter & { spec: NonlinearSpec };
  sigma: Sigma;
}

/** Held-out tokens for each one that is fitted. */
const HELD_OUT = 1 / 4;
/** The most rows for layers that see few vectors of each, such as those behind pooling. */
const MOST_ROWS = 256;
/** The first rows show how many tokens a row has. */
const FIRST_ROWS = 4;

/**
 * The statistics of z and σ(z) that the layers of a task are fitted on: over training rows, and over others that are held
 * out (see `TrainingRows`). Rows run until each layer has seen as many tokens as wanted; layers that see few of each row
 * get 256 rows, unless that many tokens take more. Of a small data set, all rows run. Padding does not count. The
 * calls of a layer count together. With a single row, nothing is held out, and its tokens are used twice.
 *
 * @param task with its training data, in the dynamic form
 * @param folder for the graph, on the model's file system if possible; the caller removes it
 * @throws AuroraError 'run' if a z is not finite
 */
export async function collectTokens(
  task: Task,
  parameters: Parameters,
  folder: string,
  { tokens, progress, signal }: CollectOptions,
): Promise<CollectedLayer[]> {
  const layers = task.adapters.flatMap(({ spec, ...rest }): Omit<CollectedLayer, keyof LayerTokens>[] => {
    if (!isNonlinear(spec)) return [];
    const adapter = { ...rest, spec };
    const { H, W } = ownValues(adapter, parameters);
    return [{ adapter, sigma: (z) => anl(z, H, W, spec) }];
  });
  const graph = await FitGraph.open(
    task,
    layers.map((l) => l.adapter),
    parameters,
    folder,
  );
  try {
    const collector = new Collector(task, graph, new Map(layers.map((l) => [l.adapter, l.sigma])), signal);
    const whole = tokens * (1 + HELD_OUT);
    const inputs = new KeptInputs(graph.groups, tokens);
    const fitted = await collector.collect('fitted', tokens, MOST_ROWS, {
      read: inputs,
      progress: (share) => progress((share * tokens) / whole),
    });
    const directions = new Map<LayerGroup, Float32Array[]>();
    const turns = new Turns();
    for (const group of graph.groups) {
      if (turns.due) await turns.take();
      signal?.throwIfAborted();
      directions.set(group, inputs.directions(group));
    }
    const heldOut = await collector.collect('held-out', tokens * HELD_OUT, MOST_ROWS * HELD_OUT, {
      read: directions,
      progress: (share) => progress((tokens + share * tokens * HELD_OUT) / whole),
    });
    const groupOf = new Map(graph.groups.flatMap((g) => g.layers.map((a) => [a, g] as const)));
    return layers.map(({ adapter, sigma }) => ({
      adapter,
      sigma,
      fitted: fitted.get(adapter)!,
      heldOut: heldOut.get(adapter)!,
      directions: directions.get(groupOf.get(adapter)!)!,
    }));
  } finally {
    await graph.dispose();
  }
}

interface CollectedPart {
  /** Keeps inputs, or the directions to multiply them with. */
  read: KeptInputs | ReadonlyMap<LayerGroup, readonly Float32Array[]>;
  progress: (share: number) => void | Promise<void>;
}

/** Runs rows and adds up what the layers see. */
class Collector {
  private readonly rows: TrainingRows;
  private readonly micro: MicroBatches;

  constructor(
    private readonly task: Task,
    private readonly graph: FitGraph,
    private readonly sigmas: ReadonlyMap<LayerAdapter, Sigma>,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.rows = new TrainingRows(task);
    this.micro = new MicroBatches(task, asEvaluator(graph), CPU, () => {});
  }

  /** @returns moments of (z, σ(z)) of each layer, and of the products with directions if those are given */
  async collect(
    part: FitPart,
    tokens: number,
    mostRows: number,
    { read, progress }: CollectedPart,
  ): Promise<Map<LayerAdapter, Moments>> {
    const { graph, rows, task } = this;
    const { batchSize } = task.spec.training;
    const keeps = read instanceof KeptInputs ? read : undefined;
    const moments = new Map<LayerAdapter, Moments>();
    for (const group of graph.groups)
      for (const adapter of group.layers) {
        const directions = read instanceof KeptInputs ? 0 : read.get(group)!.length;
        moments.set(adapter, new Moments(2 * rankOf(adapter) + directions));
      }
    const drawnFrom = part === 'held-out' && !rows.canHoldOut ? 'fitted' : part;
    if (drawnFrom !== part) rows.restart(drawnFrom);
    let [ran, share] = [0, 0];
    while (share < 1) {
      this.signal?.throwIfAborted();
      const wanted = ran === 0 ? FIRST_ROWS : Math.ceil((ran * (1 - share)) / share);
      const drawn = rows.take(drawnFrom, Math.max(1, Math.min(batchSize, wanted)));
      if (!drawn) break;
      for (const observed of await this.run(drawn, readsOf(read)))
        for (const [group, calls] of observed.calls)
          calls.forEach((call, nth) => this.add(group, nth, call, observed, moments, keeps));
      ran += drawn.indices.length;
      const counts = [...moments.values()].map((m) => m.count);
      share = Math.max(Math.min(...counts) / tokens, Math.min(Math.max(...counts) / tokens, ran / mostRows));
      for (const group of graph.groups)
        keeps?.expect(group, Math.min(tokens, (moments.get(group.layers[0]!)!.count / ran) * mostRows));
      await progress(Math.min(1, share));
    }
    return moments;
  }

  private async run(
    { indices, pass }: DrawnRows,
    readOf: (group: LayerGroup) => Read | undefined,
  ): Promise<Batch[]> {
    const { dataset } = this.task.data.train;
    this.task.readAhead(dataset, indices, pass);
    return this.micro.run('evaluation', dataset, indices, async (parts) => {
      const out: Batch[] = [];
      for (const part of parts) {
        const inputs = await this.task.feeds(dataset, part.indices, part.length, pass);
        const reads = new Map(this.graph.groups.map((g) => [g, readOf(g)]));
        out.push({
          calls: await this.graph.run(inputs, (g) => reads.get(g)),
          mask: inputs[maskInput(Object.keys(inputs)) ?? ''],
          reads,
        });
      }
      return out;
    });
  }

  private add(
    group: LayerGroup,
    nth: number,
    { z, read }: ObservedCall,
    { mask, reads }: Batch,
    moments: ReadonlyMap<LayerAdapter, Moments>,
    keeps: KeptInputs | undefined,
  ): void {
    const rows = z[0]!.data.length / rankOf(group.layers[0]!);
    const counts = this.counting(group.layers[0]!.layer.calls[nth]!.input, mask, rows);
    const how = reads.get(group);
    const products = read && how && 'directions' in how ? (read.data as Float32Array) : undefined;
    if (read && how && 'every' in how) keeps?.add(group, read, how.every, counts);
    group.layers.forEach((adapter, l) => {
      const rank = rankOf(adapter);
      const sigma = this.sigmas.get(adapter)!;
      const seen = moments.get(adapter)!;
      const data = z[l]!.data as Float32Array;
      const extra = seen.size - 2 * rank;
      const vector = new Float64Array(seen.size);
      for (let row = 0; row < rows; row++) {
        if (!counts(row)) continue;
        const own = data.subarray(row * rank, (row + 1) * rank);
        vector.set(own);
        vector.set(sigma(own), rank);
        if (products) vector.set(products.subarray(row * extra, (row + 1) * extra), 2 * rank);
        seen.add(vector);
      }
      if (!seen.mean.every(Number.isFinite)) throw notFinite(adapter.layer.path);
    });
  }

  /** True for the rows of a tensor that are no padding. A layer behind pooling sees one row of each text, and no padding. */
  private counting(tensor: string, mask: HostTensor | undefined, rows: number): (row: number) => boolean {
    if (mask?.data.length !== rows) return () => true;
    const place = batchRows(this.task.infos, tensor, mask, rows);
    return (row) => Number(mask.data[place(row)]) !== 0;
  }
}

/** The results of a part of a batch. */
interface Batch {
  calls: Observed;
  /** 1 for real tokens, (batch, sequence). */
  mask: HostTensor | undefined;
  reads: ReadonlyMap<LayerGroup, Read | undefined>;
}

const rankOf = ({ spec }: LayerAdapter): number => (spec as NonlinearSpec).rank;

const readsOf =
  (read: CollectedPart['read']) =>
  (group: LayerGroup): Read | undefined => {
    if (!(read instanceof KeptInputs)) return { directions: read.get(group)! };
    const every = read.every(group);
    return every === undefined ? undefined : { every };
  };

/** For the test of padding: z of the last layer takes the place of logits, so that the model need not compute any. */
function asEvaluator(graph: FitGraph): Evaluator {
  return {
    async evaluate(inputs: HostTensors) {
      const observed = await graph.run(inputs, () => undefined);
      const last = [...observed.values()].at(-1)!.at(-1)!;
      return { lossSum: 0, count: 1, logits: last.z.at(-1)!, observed: new Map() };
    },
    dispose: () => graph.dispose(),
  };
}

const notFinite = (path: string): AuroraError =>
  new AuroraError(
    'run',
    `The input of σ in ${path} is not finite on the training data, so it has no linear form.`,
    'Choose an earlier checkpoint with --at.',
  );
