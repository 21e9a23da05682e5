import { layerNormDirections } from '../../adapters/fit/layer-norm-direction';
import type { LayerAdapter } from '../../adapters/targets/select';
import { append } from '../../base/gathered';
import { openForward } from '../../engine/open-task';
import type { Executable, HostTensor, HostTensors, Parameters } from '../../engine/stepper';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { Graph } from '../../graph/model';
import { buildTaskGraph } from '../../tasks/task-graph';
import type { Task } from '../task/task';

/** Layers that read the same tensors, such as query, key and value. */
export interface LayerGroup {
  layers: LayerAdapter[];
  /** Width of the inputs. */
  width: number;
  /** v with vᵀx = 1 for each input, as far as the graph shows. */
  exact: Float32Array | undefined;
}

/** The part of a group's inputs x that a run returns: every n-th one, or the products of all of them with vectors v. */
export type Read = { every: number } | { directions: readonly Float32Array[] };

/** One call of the layers of a group. */
export interface ObservedCall {
  /** (…, r) of each layer of the group. */
  z: HostTensor[];
  /** (tokens / n, width), or (tokens, vectors); undefined if nothing was to be read. */
  read: HostTensor | undefined;
}

export type Observed = ReadonlyMap<LayerGroup, readonly ObservedCall[]>;

interface GroupTensors {
  /** z of each layer, call by call. */
  z: string[][];
  /** For each call. */
  samples: string[];
  products: string[];
  /** Inputs of the graph: n of every n-th, and the vectors as columns (width, vectors). */
  every: string;
  directions: string;
}

/** Reads a single input of a part. */
const HARDLY_ANY = 2 ** 31 - 1;

/** The forward half of a task up to its last adapted layer, without dropout, showing what its adapters read. */
export class FitGraph {
  private constructor(
    private readonly forward: Executable,
    private readonly parameters: HostTensors,
    private readonly tensors: ReadonlyMap<LayerGroup, GroupTensors>,
  ) {}

  /**
   * @param adapters those to observe; their methods show z
   * @param folder for the graph; the caller removes it
   */
  static async open(
    task: Task,
    adapters: readonly LayerAdapter[],
    parameters: Parameters,
    folder: string,
  ): Promise<FitGraph> {
    const { model, observed, trainable, frozen } = buildTaskGraph(task.model, task.infos, task.graph, false);
    const graph: Graph = {
      ...model.graph,
      nodes: [...model.graph.nodes],
      inputs: [...model.graph.inputs],
      initializers: new Map(model.graph.initializers),
    };
    const g = new GraphBuilder(graph, '/fit');
    const exactOf = layerNormDirections(task.model.graph);
    const sharing = new Map<string, LayerAdapter[]>();
    for (const a of adapters) append(sharing, JSON.stringify(a.layer.calls.map((c) => c.input)), a);
    const tensors = new Map<LayerGroup, GroupTensors>();
    for (const layers of sharing.values()) {
      const { inFeatures: width, calls } = layers[0]!.layer;
      const inputs = calls.map((c) => c.input);
      tensors.set(
        { layers, width, exact: exactOf(inputs[0]!, width) },
        { z: layers.map((a) => observed.get(a.layer.path)!), ...addReads(g, inputs, width) },
      );
    }
    const outputs = [...tensors.values()].flatMap((t) => [...t.z.flat(), ...t.samples, ...t.products]);
    const forward = await openForward({ ...model, graph }, outputs, folder);
    const fed = [...trainable, ...frozen].map(({ name, dims }): [string, HostTensor] => [
      name,
      { dtype: DType.float, dims, data: parameters.get(name)! },
    ]);
    return new FitGraph(forward, Object.fromEntries(fed), tensors);
  }

  get groups(): LayerGroup[] {
    return [...this.tensors.keys()];
  }

  /** @param batch the inputs of the task's model */
  async run(batch: HostTensors, readOf: (group: LayerGroup) => Read | undefined): Promise<Observed> {
    const feeds: HostTensors = { ...batch, ...this.parameters };
    const wanted = [...this.tensors].map(([group, tensors]) => {
      const read = readOf(group);
      const { every, directions } = feedsOf(group, read);
      feeds[tensors.every] = every;
      feeds[tensors.directions] = directions;
      const names = read && ('every' in read ? tensors.samples : tensors.products);
      return { group, z: tensors.z, names };
    });
    const out = await this.forward.run(
      feeds,
      wanted.flatMap(({ z, names = [] }) => [...z.flat(), ...names]),
    );
    return new Map(
      wanted.map(({ group, z, names }) => [
        group,
        z[0]!.map((_, call) => ({
          z: z.map((own) => out[own[call]!]!),
          read: names && out[names[call]!],
        })),
      ]),
    );
  }

  dispose(): Promise<void> {
    return this.forward.dispose();
  }
}

function addReads(g: GraphBuilder, inputs: readonly string[], width: number): Omit<GroupTensors, 'z'> {
  const every = g.addInput(g.fresh('every'), DType.int64, [1]);
  const directions = g.addInput(g.fresh('directions'), DType.float, [width, 'directions']);
  const rows = inputs.map((x) => g.op('Flatten', [x], { axis: -1 }));
  return {
    every,
    directions,
    samples: rows.map((x) => g.op('Slice', [x, g.ints([0]), g.ints([HARDLY_ANY]), g.ints([0]), every])),
    products: rows.map((x) => g.op('MatMul', [x, directions])),
  };
}

/** The runtime wants a value for every input. */
function feedsOf({ width }: LayerGroup, read: Read | undefined): Record<'every' | 'directions', HostTensor> {
  const every = read && 'every' in read ? read.every : HARDLY_ANY;
  const vectors = read && 'directions' in read ? read.directions : [new Float32Array(width)];
  const columns = new Float32Array(width * vectors.length);
  vectors.forEach((v, k) => v.forEach((x, i) => (columns[i * vectors.length + k] = x)));
  return {
    every: { dtype: DType.int64, dims: [1], data: BigInt64Array.of(BigInt(every)) },
    directions: { dtype: DType.float, dims: [width, vectors.length], data: columns },
  };
}
