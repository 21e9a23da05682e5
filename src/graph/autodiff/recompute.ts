import { GraphBuilder } from '../builder';
import { DType, isFloat } from '../dtype';
import type { TensorInfos } from '../tensor-infos';
import type { Graph, Node } from '../model';
import { Barrier } from '../pieces/barrier';
import { Costs, planCuts, type Plan } from './recompute-plan';

export interface Recomputed {
  /** The input graph if nothing was gained. */
  graph: Graph;
  /** Segments of the forward pass that run again. */
  segments: number;
  plan?: Plan;
}

/** A second run gives different numbers; bodies read outer tensors by name. */
const runsOnce = (node: Node): boolean =>
  /^(?:Random|Bernoulli|Multinomial|Dropout)/.test(node.opType) ||
  [...node.attributes.values()].some((a) => a.type === 'graph');

/**
 * Gradient checkpointing. The forward nodes are cut into segments. The tensors inside a segment that the backward pass
 * reads are recomputed, from the tensors that cross a cut, once the gradient has reached that segment, so only those
 * tensors stay in memory between forward and backward. The first segment, which has nothing to wait for, and the last,
 * which the backward pass reads at once, are kept. Values are bitwise identical.
 *
 * @param graph pruned to its outputs: the forward nodes, then the backward nodes
 * @param forward the forward nodes
 * @param infos of the forward tensors
 * @param seeds names of the gradients that come from outside
 */
export function recompute(
  graph: Graph,
  forward: ReadonlySet<Node>,
  infos: TensorInfos,
  seeds: readonly string[],
  weights: readonly string[],
): Recomputed {
  const first = graph.nodes.filter((n) => forward.has(n));
  const backward = graph.nodes.filter((n) => !forward.has(n));
  const made = new Set(first.flatMap((n) => n.outputs));
  const stays = new Set(graph.outputs.map((o) => o.name));
  const reads = new Set(backward.flatMap((n) => n.inputs).filter((x) => made.has(x)));
  const costs = new Costs(
    infos,
    graph.inputs.map((i) => i.name),
  );
  const plan = planCuts(first, reads, stays, costs);
  if (!plan) return { graph, segments: 0 };
  const result: Graph = { ...graph, nodes: [...first], initializers: new Map(graph.initializers) };
  const data = graph.inputs.map((i) => i.name).filter((x) => !seeds.includes(x) && !weights.includes(x));
  const segments = cut(first, plan.cuts, new Set(data), stays, infos);
  const g = new GraphBuilder({ ...graph, initializers: result.initializers }, '/again', result.nodes);
  const copies = new Copies(g, segments);
  const gradients = new Gradients(backward, seeds, stays);
  for (const [at, node] of backward.entries()) {
    const inputs = node.inputs.map((x) => copies.of(x, () => gradients.finishedBefore(at)));
    result.nodes.push({ ...node, inputs });
  }
  return { graph: result, segments: copies.segments, plan };
}

/** ONNX Runtime has no Where, which a barrier is made of, for bfloat16 on the CPU. */
const canWait = (dtype: number): boolean => isFloat(dtype) && dtype !== DType.bfloat16;

interface Segments {
  /** The segment of each tensor that can be recomputed, and its node. */
  inner: ReadonlyMap<string, { segment: number; node: Node }>;
  /** Activations that stay in memory: a copy that reads one waits there. */
  crossing: ReadonlySet<string>;
}

function cut(
  nodes: readonly Node[],
  cuts: readonly number[],
  data: ReadonlySet<string>,
  stays: ReadonlySet<string>,
  infos: TensorInfos,
): Segments {
  const segmentAt = (i: number) => cuts.filter((c) => c <= i).length;
  const lastRead = new Map<string, number>();
  nodes.forEach((node, i) => node.inputs.forEach((x) => lastRead.set(x, segmentAt(i))));
  const inner = new Map<string, { segment: number; node: Node }>();
  const crossing = new Set<string>();
  const fromData = new Set(data);
  for (const [i, node] of nodes.entries()) {
    if (node.inputs.some((x) => fromData.has(x))) node.outputs.forEach((y) => fromData.add(y));
    const segment = segmentAt(i);
    const middle = segment > 0 && segment < cuts.length;
    // A node that reads only weights and graph inputs would be merged with its copy, and has nothing to wait for.
    const again = middle && !runsOnce(node) && node.inputs.some((x) => crossing.has(x) || inner.has(x));
    for (const y of node.outputs.filter((name) => name !== '')) {
      const info = infos.get(y);
      const leaves = stays.has(y) || (lastRead.get(y) ?? segment) > segment;
      if (again && !leaves) inner.set(y, { segment, node });
      else if (info && canWait(info.dtype) && fromData.has(y)) crossing.add(y);
    }
  }
  return { inner, crossing };
}

/** The second run of the segments, inserted before its first reader. */
class Copies {
  segments = 0;
  private readonly made = new Map<string, string>();
  private readonly barriers = new Map<number, Barrier>();

  constructor(
    private readonly g: GraphBuilder,
    private readonly all: Segments,
  ) {}

  /** The tensor that the backward pass reads instead of a forward tensor. */
  of(tensor: string, finished: () => readonly string[]): string {
    const found = this.all.inner.get(tensor);
    if (!found) return tensor;
    let barrier = this.barriers.get(found.segment);
    if (!barrier) {
      const after = finished();
      if (after.length === 0) return tensor;
      barrier = new Barrier(this.g, after);
      this.barriers.set(found.segment, barrier);
      this.segments++;
    }
    return this.copy(tensor, barrier);
  }

  /** Depth first with an explicit stack: a segment may be a chain longer than the call stack is deep. */
  private copy(tensor: string, barrier: Barrier): string {
    const stack = [tensor];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const node = this.made.has(top) ? undefined : this.all.inner.get(top)?.node;
      const missing = node?.inputs.find((x) => this.all.inner.has(x) && !this.made.has(x));
      if (missing !== undefined) {
        stack.push(missing);
        continue;
      }
      stack.pop();
      if (!node) continue;
      const inputs = node.inputs.map((x) => this.input(x, barrier));
      const outputs = node.outputs.map((y) => (y === '' ? '' : this.g.fresh(node.opType)));
      this.g.sink.push({ ...node, name: outputs[0], inputs, outputs });
      node.outputs.forEach((y, i) => this.made.set(y, outputs[i]));
    }
    return this.made.get(tensor)!;
  }

  private input(tensor: string, barrier: Barrier): string {
    return this.made.get(tensor) ?? (this.all.crossing.has(tensor) ? barrier.pass(tensor) : tensor);
  }
}

/** The gradients that the backward pass has computed from the loss, by node position. */
class Gradients {
  private readonly made: { tensor: string; at: number; last: number }[] = [];
  private done = 0;

  constructor(nodes: readonly Node[], seeds: readonly string[], stays: ReadonlySet<string>) {
    const last = new Map<string, number>();
    nodes.forEach((node, i) => node.inputs.forEach((x) => last.set(x, i)));
    const fromSeed = new Set(seeds);
    for (const [at, node] of nodes.entries())
      if (node.inputs.some((x) => fromSeed.has(x)))
        for (const y of node.outputs) {
          fromSeed.add(y);
          this.made.push({ tensor: y, at, last: stays.has(y) ? nodes.length : (last.get(y) ?? at) });
        }
  }

  /**
   * Tensors computed before a position and since the last call, and read only after it: the gradient that flows on, and
   * the gradients of the trainable tensors on the way. Once they exist, nothing else of their segment is needed.
   */
  finishedBefore(position: number): string[] {
    const found = this.made.filter((t) => t.at >= this.done && t.at < position && t.last >= position);
    if (found.length) this.done = position;
    return found.map((t) => t.tensor);
  }
}
