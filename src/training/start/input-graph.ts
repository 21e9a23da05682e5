import type { LayerAdapter } from '../../adapters/targets/select';
import { append } from '../../base/gathered';
import { openForward } from '../../engine/open-task';
import type { Executable, HostTensor, HostTensors } from '../../engine/stepper';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { elementCount, type Graph } from '../../graph/model';
import { buildTaskGraph } from '../../tasks/task-graph';
import type { Task } from '../task/task';

/** Adapted layers that read the same tensors, such as query, key and value. */
export interface InputGroup {
  layers: LayerAdapter[];
  /** Numbers in each input. */
  width: number;
  /** The tensor that each call reads. */
  inputs: string[];
}

/** The groups of a task's adapted layers, in the order of their first layers. */
export function inputGroups(adapters: readonly LayerAdapter[]): InputGroup[] {
  const sharing = new Map<string, LayerAdapter[]>();
  for (const a of adapters) append(sharing, JSON.stringify(a.layer.calls.map((c) => c.input)), a);
  return [...sharing.values()].map((layers) => {
    const { inFeatures, calls } = layers[0]!.layer;
    return { layers, width: inFeatures, inputs: calls.map((c) => c.input) };
  });
}

/** A call's inputs as rows (tokens, width), or XᵀX (width, width) of these rows and their largest value. */
export type Wanted = 'rows' | 'products';

interface CallOutputs {
  rows: string;
  product: string;
  largest: string;
}

/** One call of the layers of a group. */
export interface ReadCall {
  /** (tokens, width), or (width, width) */
  values: HostTensor;
  /** Only with products. */
  largest?: number;
}

/** The untrained model up to its adapted layers, without dropout, showing their inputs. It runs on the CPU. */
export class InputGraph {
  private constructor(
    private readonly forward: Executable,
    private readonly head: HostTensors,
    private readonly outputs: ReadonlyMap<InputGroup, readonly CallOutputs[]>,
    private readonly wanted: Wanted,
  ) {}

  /**
   * @param folder for the graph; the caller removes it
   * @param threads of the runtime; 0 for one per core
   */
  static async open(
    task: Task,
    groups: readonly InputGroup[],
    wanted: Wanted,
    { folder, threads }: { folder: string; threads: number },
  ): Promise<InputGraph> {
    const spec = { ...task.graph, adapters: [] };
    const { model, trainable } = buildTaskGraph(task.model, task.infos, spec, false);
    const graph: Graph = {
      ...model.graph,
      nodes: [...model.graph.nodes],
      inputs: [...model.graph.inputs],
      initializers: new Map(model.graph.initializers),
    };
    const g = new GraphBuilder(graph, '/start');
    const outputs = new Map(groups.map((group) => [group, group.inputs.map((x) => callOutputs(g, x))]));
    const names = [...outputs.values()].flat().flatMap((o) => namesOf(o, wanted));
    const forward = await openForward({ ...model, graph }, names, folder, { threads });
    // The runtime wants a value for every input, and the graph may end before the head.
    const head = trainable.map(({ name, dims }): [string, HostTensor] => [
      name,
      { dtype: DType.float, dims, data: new Float32Array(elementCount(dims)) },
    ]);
    return new InputGraph(forward, Object.fromEntries(head), outputs, wanted);
  }

  /** The calls of some groups for a batch of the task's inputs. */
  async read(batch: HostTensors, groups: readonly InputGroup[]): Promise<Map<InputGroup, ReadCall[]>> {
    const calls = groups.map((group) => [group, this.outputs.get(group)!] as const);
    const names = calls.flatMap(([, all]) => all.flatMap((o) => namesOf(o, this.wanted)));
    const found = await this.forward.run({ ...batch, ...this.head }, names);
    return new Map(
      calls.map(([group, all]) => [
        group,
        all.map(({ rows, product, largest }) =>
          this.wanted === 'rows'
            ? { values: found[rows]! }
            : { values: found[product]!, largest: Number(found[largest]!.data[0]) },
        ),
      ]),
    );
  }

  dispose(): Promise<void> {
    return this.forward.dispose();
  }
}

function callOutputs(g: GraphBuilder, input: string): CallOutputs {
  const rows = g.op('Flatten', [input], { axis: -1 });
  return {
    rows,
    product: g.op('MatMul', [g.op('Transpose', [rows], { perm: [1, 0] }), rows]),
    largest: g.op('ReduceMax', [rows], { keepdims: 0 }),
  };
}

const namesOf = ({ rows, product, largest }: CallOutputs, wanted: Wanted): string[] =>
  wanted === 'rows' ? [rows] : [product, largest];
