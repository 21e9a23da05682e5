import { attrInt } from '../attributes';
import { byteSize } from '../dtype';
import { elementCount, type Node } from '../model';
import type { TensorInfos } from '../tensor-infos';

/** The savings of a plan, for display. Bytes are estimates at one size and only good for comparison. */
export interface Plan {
  /** Segment starts, as positions in the forward nodes; everything before the first and after the last is kept. */
  cuts: number[];
  /** Held between forward and backward, the largest segment included: with these cuts, and without. */
  bytes: number;
  bytesWithout: number;
}

/** Few enough to try all pairs quickly. */
const MOST_CANDIDATES = 240;
/** Parts of the forward pass that have a candidate each, if there is any in them. */
const PARTS = MOST_CANDIDATES / 2;
/** The fraction of the forward pass worth recomputing per fraction of memory saved. */
const WORK_FOR_MEMORY = 0.2;
/** The least gain as a share of the memory of the backward and the forward pass: anything less would not be noticed. */
const LEAST_GAIN = 0.05;

/**
 * Cuts the forward pass where little crosses, to minimize the tensors in memory (everything that crosses, plus the
 * largest segment); of two equal plans, the one with less recomputation wins. On an encoder, the cuts are sums of the
 * residual stream, one or two per layer. Undefined if nothing is gained.
 *
 * @param nodes in execution order
 * @param reads tensors of these nodes that the backward pass reads
 * @param stays tensors that stay in memory regardless of the cuts: the graph's outputs
 */
export function planCuts(
  nodes: readonly Node[],
  reads: ReadonlySet<string>,
  stays: ReadonlySet<string>,
  costs: Costs,
): Plan | undefined {
  const forward = new Forward(nodes, reads, stays, costs);
  const at = forward.candidates();
  const total = forward.kept(0, nodes.length);
  const work = nodes.reduce((sum, n) => sum + costs.work(n), 0);
  if (total === 0 || at.length < 2) return undefined;
  const price = (WORK_FOR_MEMORY * total) / work;
  const count = at.length;
  /** By their ends: from each position before. */
  const pairs = at.map((q, j) =>
    forward
      .segmentsTo(q, at.slice(0, j), total / 2)
      .map((s) => s && { inner: s.inner, cost: s.crossing + price * s.again }),
  );
  const begin = at.map((p) => forward.inner(0, p) + forward.crossing(0, p));
  const end = at.map((p) => forward.kept(p, nodes.length));
  const limits = spread([...pairs.flat().flatMap((x) => x?.inner ?? []), ...end]);

  let best = { score: Infinity, limit: 0, cuts: [] as number[] };
  for (const limit of limits) {
    const cost = [...begin];
    const from = new Array<number>(count).fill(-1);
    for (let j = 0; j < count; j++)
      for (let i = 0; i < j; i++) {
        const pair = pairs[j][i];
        if (!pair || pair.inner > limit || cost[i] + pair.cost >= cost[j]) continue;
        cost[j] = cost[i] + pair.cost;
        from[j] = i;
      }
    for (let j = 0; j < count; j++)
      if (from[j] >= 0 && end[j] <= limit && cost[j] + limit < best.score)
        best = { score: cost[j] + limit, limit, cuts: trace(from, j).map((i) => at[i]) };
  }
  if (best.cuts.length === 0) return undefined;
  const segments = best.cuts.slice(1).map((q, i) => [best.cuts[i], q] as const);
  const [first, last] = [best.cuts[0], best.cuts.at(-1)!];
  const bytes =
    forward.inner(0, first) +
    forward.crossing(0, first) +
    segments.reduce((sum, [p, q]) => sum + forward.crossing(p, q), 0) +
    Math.max(forward.kept(last, nodes.length), ...segments.map(([p, q]) => forward.inner(p, q)));
  const gain = (total - bytes) / (total + forward.peak());
  return gain < LEAST_GAIN ? undefined : { cuts: best.cuts, bytes, bytesWithout: total };
}

/** Values that differ by more than 1%; of several similar ones, the largest. */
function spread(values: readonly number[]): number[] {
  const descending = [...values].sort((a, b) => b - a);
  const kept: number[] = [];
  for (const v of descending) if (kept.length === 0 || v < kept.at(-1)! * 0.99) kept.push(v);
  return kept;
}

function trace(from: readonly number[], last: number): number[] {
  const cuts: number[] = [];
  for (let j = last; j >= 0; j = from[j]) cuts.unshift(j);
  return cuts;
}

/** Sums over ranges of forward nodes, from position p to q (exclusive). */
class Forward {
  private readonly made: Made[];
  /** The index in `made` of each node's first tensor. */
  private readonly starts: number[] = [];
  private readonly inputs: Made[][];
  /** Scratch: which nodes must run again. */
  private readonly wanted: Uint8Array;
  private readonly work: number[];

  constructor(
    private readonly nodes: readonly Node[],
    reads: ReadonlySet<string>,
    stays: ReadonlySet<string>,
    costs: Costs,
  ) {
    const last = new Map<string, number>();
    nodes.forEach((node, i) => node.inputs.forEach((x) => last.set(x, i)));
    this.made = nodes.flatMap((node, at) =>
      node.outputs
        .filter((tensor) => tensor !== '' && !stays.has(tensor))
        .map((tensor) => ({
          tensor,
          at,
          last: last.get(tensor) ?? at,
          bytes: costs.bytes(tensor),
          read: reads.has(tensor),
        })),
    );
    const producers = new Map(this.made.map((t) => [t.tensor, t]));
    this.inputs = nodes.map((node) => node.inputs.flatMap((x) => producers.get(x) ?? []));
    this.wanted = new Uint8Array(nodes.length);
    let next = 0;
    for (let at = 0; at <= nodes.length; at++) {
      while (next < this.made.length && this.made[next].at < at) next++;
      this.starts.push(next);
    }
    this.work = nodes.map((n) => costs.work(n));
  }

  /** Positions where about as little or less crosses than at their neighbors, in all parts of the forward pass. */
  candidates(): number[] {
    const crossing = this.live();
    const narrow = [...crossing.keys()].filter(
      (p) =>
        p > 0 &&
        p < this.nodes.length &&
        crossing[p] <= crossing[p - 1] * 1.01 &&
        crossing[p] <= crossing[p + 1] * 1.01,
    );
    const inOrder = [...narrow].sort((a, b) => crossing[a] - crossing[b] || a - b);
    if (inOrder.length <= MOST_CANDIDATES) return narrow;
    // In a U-Net, the tensors that cross a cut grow toward the middle, since the way up reads tensors of the way down.
    const partOf = (p: number) => Math.floor((p / this.nodes.length) * PARTS);
    const ofParts = new Map([...inOrder].reverse().map((p) => [partOf(p), p]));
    const chosen = new Set([...ofParts.values(), ...inOrder]);
    return [...chosen].slice(0, MOST_CANDIDATES).sort((a, b) => a - b);
  }

  /** Peak bytes of the forward pass itself if it keeps nothing for the backward pass. */
  peak(): number {
    return this.live().reduce((a, b) => Math.max(a, b));
  }

  /** Bytes that cross each position. */
  private live(): Float64Array {
    const change = new Float64Array(this.nodes.length + 1);
    for (const { at, last, bytes } of this.made) {
      change[at + 1] += bytes;
      change[last + 1] -= bytes;
    }
    let live = 0;
    return change.map((c) => (live += c));
  }

  /** Bytes that cross q and are not counted at an earlier cut. */
  crossing(p: number, q: number): number {
    return this.sum(p, q, (t) => t.last >= q);
  }

  /** Bytes that the backward pass needs and that do not cross q. */
  inner(p: number, q: number): number {
    return this.sum(p, q, (t) => t.read && t.last < q);
  }

  kept(p: number, q: number): number {
    return this.sum(p, q, (t) => t.read);
  }

  private sum(p: number, q: number, counts: (t: Made) => boolean): number {
    let sum = 0;
    for (let k = this.starts[p]; k < this.starts[q]; k++) if (counts(this.made[k])) sum += this.made[k].bytes;
    return sum;
  }

  /**
   * The segments that end before q, by where they begin. One walk back from q finds all of them: those that begin
   * earlier have the same nodes and more.
   *
   * @param from positions in ascending order
   * @param most bytes that the backward pass needs from the inside of a segment; those with more are undefined
   */
  segmentsTo(q: number, from: readonly number[], most: number): (Segment | undefined)[] {
    const { wanted } = this;
    wanted.fill(0, 0, q);
    const found = new Array<Segment | undefined>(from.length).fill(undefined);
    const sums = { inner: 0, crossing: 0, again: 0 };
    let at = q;
    for (let i = from.length - 1; i >= 0 && sums.inner <= most; i--) {
      while (at > from[i]) this.addNode(--at, q, sums);
      if (sums.inner <= most) found[i] = { ...sums };
    }
    return found;
  }

  private addNode(at: number, q: number, sums: Segment): void {
    const { wanted } = this;
    for (let k = this.starts[at]; k < this.starts[at + 1]; k++) {
      const t = this.made[k];
      if (t.last >= q) sums.crossing += t.bytes;
      else if (t.read) {
        sums.inner += t.bytes;
        wanted[at] = 1;
      }
    }
    if (!wanted[at]) return;
    sums.again += this.work[at];
    for (const t of this.inputs[at]) if (t.last < q) wanted[t.at] = 1;
  }
}

/** A part of the forward pass. */
interface Segment {
  /** Bytes that the backward pass needs and that do not cross its end. */
  inner: number;
  /** Bytes that cross its end. */
  crossing: number;
  /** Cost of the nodes that must run again to produce the tensors that the backward pass needs. */
  again: number;
}

/** A tensor, by the positions of its producer and its last reader. */
interface Made {
  tensor: string;
  at: number;
  last: number;
  bytes: number;
  /** True if the backward pass reads it. */
  read: boolean;
}

/**
 * Stand-in sizes for open axes: only their ratios matter, since one plan serves every batch. They follow those of a
 * probe, where a leading axis is 2, 3 and 5 in turn; sequences are as long as texts are in training.
 */
const LEADING = 3;
const LENGTH = 128;
/** Roughly the sequence length in a probe: scales an axis whose sizes are known only from there. */
const PROBED_LENGTH = 10;

/** Estimated bytes of tensors and multiplications of nodes. */
export class Costs {
  private readonly leading: ReadonlySet<number | string>;

  /** @param inputs names of the graph's inputs, whose first axis is the batch */
  constructor(
    private readonly infos: TensorInfos,
    inputs: readonly string[],
  ) {
    this.leading = new Set(inputs.flatMap((name) => infos.get(name)?.shape.slice(0, 1) ?? []));
  }

  /** 0 for an unknown shape: norm statistics, which are small. */
  bytes(tensor: string): number {
    const info = this.infos.get(tensor);
    return info ? this.elements(tensor) * (byteSize(info.dtype) ?? 1) : 0;
  }

  /** The multiplications of a product; for any other node, the size of its output. */
  work(node: Node): number {
    const written = node.outputs.reduce((sum, y) => sum + this.elements(y), 0);
    const weight = this.infos.get(node.inputs[1])?.shape ?? [];
    if (node.opType === 'MatMul') return written * this.size(weight.at(-2) ?? 1);
    if (node.opType === 'Gemm') return written * Math.max(...weight.map((d) => this.size(d)));
    if (node.opType === 'MatMulNBits' || node.opType === 'MatMulBnb4') return written * attrInt(node, 'K', 1);
    if (node.opType === 'Conv') return written * elementCount(weight.slice(1).map((d) => this.size(d)));
    return written;
  }

  private elements(tensor: string): number {
    return elementCount((this.infos.get(tensor)?.shape ?? [0]).map((d) => this.size(d)));
  }

  private size(dim: number | string): number {
    if (typeof dim === 'number') return dim;
    if (/^\d+\|\d+\|\d+$/.test(dim)) {
      const [a, b, c] = dim.split('|').map(Number);
      const mean = Math.cbrt(a * b * c);
      return b * 2 === a * 3 && c * 2 === a * 5 ? mean : (mean / PROBED_LENGTH) * LENGTH;
    }
    return this.leading.has(dim) ? LEADING : LENGTH;
  }
}
