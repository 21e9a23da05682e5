import { tensorName } from '../../adapters/stored-tensors';
import { type EvaGroup, EvaStart } from '../../adapters/starts/eva-start';
import type { LayerAdapter } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { CPU } from '../../engine/place';
import type { Evaluator, HostTensor, HostTensors } from '../../engine/stepper';
import { isStarted, type StartingSpec } from '../../experiment/methods';
import { maskInput } from '../../tasks/head';
import { LABELS } from '../../tasks/task-graph';
import { batchRows } from '../batch-rows';
import { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';
import { InputGraph, type InputGroup, inputGroups, type ReadCall } from './input-graph';
import { type ReadRows, StartRows } from './start-rows';
import type { StartWork } from './start-work';

/** Bytes of inputs that are read at once; the model runs again for further groups. */
const MOST_BYTES = 2 ** 29;
/** PEFT waits without end; components change by 1/n with the n-th batch. */
const MOST_BATCHES = 1000;
/** PEFT's EvaConfig.label_mask_value. */
const UNLABELED = -100;

/** EVA's initial A of the layers that get a rank, and the ranks of all. */
export interface EvaResult {
  ranks: Record<string, number>;
  /** By the path of the layer. */
  A: Map<string, Float32Array>;
}

/**
 * Reads batches of the training data until the components of the inputs of all adapted layers have converged. Padding
 * does not count, nor do tokens that are not learned, as in PEFT's eva.py.
 *
 * @throws AuroraError 'experiment' if the batches are too small, or the components do not converge
 */
export async function evaResult(
  task: Task,
  adapters: readonly LayerAdapter[],
  work: StartWork,
): Promise<EvaResult> {
  const groups = inputGroups(adapters);
  const graph = await InputGraph.open(task, groups, 'rows', work);
  try {
    const reader = new BatchReader(task, graph, groups);
    const spec = task.spec.adapter as StartingSpec;
    const of = new Map(groups.map((group) => [evaGroup(group), group]));
    const start = new EvaStart([...of.keys()], {
      rho: spec.evaRho ?? 2,
      tau: spec.evaTau ?? 0.99,
      whiten: spec.evaWhiten ?? false,
    });
    const rows = new StartRows(task);
    const { batchSize } = task.spec.training;
    const most = new Map<EvaGroup, number>();
    let read = 0;
    for (let needed = start.needs(), batch = 0; needed.length > 0; needed = start.needs(), batch++) {
      await work.progress(start.share());
      if (batch === MOST_BATCHES) throw notConverged(of.get(needed[0]!)!);
      const drawn = rows.take(batchSize);
      const wanted = new Map(needed.map((group) => [of.get(group)!, group]));
      await reader.each(drawn, [...wanted.keys()], (group, inputs) => {
        const own = wanted.get(group)!;
        const tokens = inputs.length / group.width;
        most.set(own, start.add(own, inputs) ? Infinity : Math.max(most.get(own) ?? 0, tokens));
      });
      read += drawn.indices.length;
      const unread = needed.find((group) => most.get(group) !== Infinity);
      if (unread && read >= rows.length)
        throw tooFewTokens(of.get(unread)!, start.least(unread), most.get(unread)!);
      start.spread();
    }
    const ranks = start.result();
    const A = new Map<string, Float32Array>();
    for (const [own, { layers }] of of)
      for (const { layer } of layers)
        if (ranks.get(layer.path)! > 0) A.set(layer.path, start.A(own, layer.path));
    return { ranks: Object.fromEntries(ranks), A };
  } finally {
    await graph.dispose();
  }
}

const evaGroup = ({ layers, width }: InputGroup): EvaGroup => ({
  ranks: new Map(layers.map(({ layer, spec }) => [layer.path, (spec as StartingSpec).rank])),
  width,
  limit: Math.min(...layers.map(({ layer }) => Math.min(layer.inFeatures, layer.outFeatures))),
});

/** The initial values of the adapters that got a rank; B stays zero. */
export function evaValues(adapters: readonly LayerAdapter[], { A }: EvaResult): Map<string, Float32Array> {
  return new Map(
    adapters
      .filter(({ spec }) => isStarted(spec))
      .map((adapter) => [tensorName(adapter, 'A'), A.get(adapter.layer.path)!]),
  );
}

/** Reads the inputs of groups in parts that fit into memory. */
class BatchReader {
  private readonly micro: MicroBatches;

  constructor(
    private readonly task: Task,
    private readonly graph: InputGraph,
    groups: readonly InputGroup[],
  ) {
    this.micro = new MicroBatches(task, asEvaluator(graph, groups.at(-1)!), CPU, () => {});
  }

  /** Calls back with the inputs (tokens, width) that count in each call of each group. */
  async each(
    drawn: ReadRows,
    groups: readonly InputGroup[],
    take: (group: InputGroup, inputs: Float32Array) => void,
  ): Promise<void> {
    const { dataset } = this.task.data.train;
    this.task.readAhead(dataset, drawn.indices, drawn.pass);
    for (let rest = groups; rest.length > 0;) {
      const part = await this.fitting(rest, drawn);
      for (const [group, calls] of await this.read(drawn, part))
        for (const inputs of calls) take(group, inputs);
      rest = rest.slice(part.length);
    }
  }

  /** As many of the groups as fit into the limit, at least one. */
  private async fitting(groups: readonly InputGroup[], { indices, pass }: ReadRows): Promise<InputGroup[]> {
    const feeds = await this.task.feeds(this.task.data.train.dataset, indices, undefined, pass);
    const tokens = Math.max(...Object.values(feeds).map(({ dims }) => (dims[0] ?? 1) * (dims[1] ?? 1)));
    let bytes = 0;
    const most = groups.findIndex((group, i) => {
      bytes += 4 * tokens * group.width * group.inputs.length;
      return i > 0 && bytes > MOST_BYTES;
    });
    return groups.slice(0, most < 0 ? groups.length : most);
  }

  private read(
    { indices, pass }: ReadRows,
    groups: readonly InputGroup[],
  ): Promise<Map<InputGroup, Float32Array[]>> {
    const { dataset } = this.task.data.train;
    return this.micro.run('evaluation', dataset, indices, async (parts) => {
      const found: { calls: Map<InputGroup, ReadCall[]>; feeds: HostTensors }[] = [];
      for (const part of parts) {
        const feeds = await this.task.feeds(dataset, part.indices, part.length, pass);
        found.push({ calls: await this.graph.read(feeds, groups), feeds });
      }
      return new Map(
        groups.map((group) => [
          group,
          group.inputs.map((input, call) =>
            joined(
              found.map(({ calls, feeds }) =>
                this.counting(input, calls.get(group)![call]!, group.width, feeds),
              ),
            ),
          ),
        ]),
      );
    });
  }

  /** The rows that are no padding, and that are learned. */
  private counting(input: string, { values }: ReadCall, width: number, feeds: HostTensors): Float32Array {
    const data = values.data as Float32Array;
    const rows = data.length / width;
    const mask = feeds[maskInput(Object.keys(feeds)) ?? ''];
    const labels = feeds[LABELS];
    const isEach = (t: HostTensor | undefined): t is HostTensor =>
      t?.data.length === rows && t.dims.length === 2;
    if (!isEach(mask) && !isEach(labels)) return data;
    const place = batchRows(this.task.infos, input, isEach(mask) ? mask : labels, rows);
    const counts = (row: number) =>
      (!isEach(mask) || Number(mask.data[place(row)]) !== 0) &&
      (!isEach(labels) || Number(labels.data[place(row)]) !== UNLABELED);
    const kept = Array.from({ length: rows }, (_, row) => row).filter(counts);
    const out = new Float32Array(kept.length * width);
    kept.forEach((row, k) => out.set(data.subarray(row * width, (row + 1) * width), k * width));
    return out;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** For the test of padding: the inputs of the last group take the place of logits. */
function asEvaluator(graph: InputGraph, group: InputGroup): Evaluator {
  return {
    async evaluate(inputs: HostTensors) {
      const calls = (await graph.read(inputs, [group])).get(group)!;
      return { lossSum: 0, count: 1, logits: calls.at(-1)!.values, observed: new Map() };
    },
    dispose: () => graph.dispose(),
  };
}

const tooFewTokens = ({ layers }: InputGroup, least: number, most: number): AuroraError =>
  new AuroraError(
    'experiment',
    `adapter.initialization is "eva", which needs batches with at least ${least} inputs of ${layers[0]!.layer.path} (rank × adapter.evaRho), but the largest batch has ${most}.`,
    'Raise training.batchSize, or lower adapter.rank or adapter.evaRho.',
  );

const notConverged = ({ layers }: InputGroup): AuroraError =>
  new AuroraError(
    'experiment',
    `adapter.initialization is "eva", but the components of the inputs of ${layers[0]!.layer.path} have not converged after ${MOST_BATCHES} batches.`,
    'Lower adapter.evaTau or adapter.evaRho, or raise training.batchSize.',
  );
