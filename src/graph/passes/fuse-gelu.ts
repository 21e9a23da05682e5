import { Declared, filterValueInfo } from '../declared';
import { DType } from '../dtype';
import { elementCount, type Graph, type Model, type Node } from '../model';
import { readersOf } from '../reads';
import { tensorNumbers } from '../values';

/**
 * A copy of a model with one Gelu in place of each x·(1 + erf(x/√2))/2 that an exporter spelled out, with its factors
 * in any order. Differentiated piece by piece, these keep four tensors of the feed-forward layer's width for the
 * backward pass; Gelu's rule keeps only x.
 *
 * Only if nothing else reads the pieces, and only in float32: ONNX Runtime has no other Gelu on the CPU. Needs opset 20
 * or later, with constants as initializers.
 */
export function fuseGelu(model: Model): Model {
  const source = model.graph;
  const search = new PatternSearch(source);
  const declared = new Declared(source);
  const replaced = new Map<Node, Node>();
  const dropped = new Set<Node>();
  for (const node of source.nodes) {
    declared.follow(node);
    const match = node.opType === 'Erf' && node.domain === '' ? search.gelu(node) : undefined;
    if (!match || declared.floatType(match.x) !== DType.float) continue;
    match.pieces.forEach((piece) => dropped.add(piece));
    replaced.set(match.last, { ...match.last, opType: 'Gelu', inputs: [match.x], attributes: new Map() });
  }
  const nodes = source.nodes
    .filter((n) => !dropped.has(n) || replaced.has(n))
    .map((n) => replaced.get(n) ?? n);
  const gone = new Set([...dropped].filter((n) => !replaced.has(n)).flatMap((n) => n.outputs));
  return {
    ...model,
    graph: { ...source, nodes, unknown: filterValueInfo(source, (name) => !gone.has(name)) },
  };
}

interface Match {
  x: string;
  pieces: Node[];
  /** The node that produces the result. */
  last: Node;
}

class PatternSearch {
  private readonly producers = new Map<string, Node>();
  private readonly readers: ReadonlyMap<string, readonly Node[]>;
  private readonly kept: Set<string>;

  constructor(private readonly graph: Graph) {
    this.kept = new Set(graph.outputs.map((o) => o.name));
    this.readers = readersOf(graph);
    for (const node of graph.nodes) {
      node.outputs.forEach((y) => this.producers.set(y, node));
      for (const a of node.attributes.values()) if (a.type === 'graph') this.keepAll(a.value);
    }
  }

  gelu(erf: Node): Match | undefined {
    const scaling = this.onlyFor(erf.inputs[0]);
    const x = scaling && this.scaled(scaling, Math.SQRT1_2);
    const plusOne = this.onlyReader(erf);
    if (!scaling || x === undefined || plusOne?.opType !== 'Add') return undefined;
    if (this.single(other(plusOne, erf.outputs[0])) !== 1) return undefined;
    return this.product(plusOne, [scaling, erf, plusOne], x);
  }

  /** Follows (1 + erf) through its products until both x and ½ have been found. */
  private product(start: Node, pieces: Node[], x: string): Match | undefined {
    let timesX = false;
    let halved = false;
    let last = start;
    while (!timesX || !halved) {
      const next = this.onlyReader(last);
      if (!next) return undefined;
      pieces.push(next);
      const halvedX = next.opType === 'Mul' ? this.onlyFor(other(next, last.outputs[0])) : undefined;
      if (!halved && this.scaled(next, 0.5) === last.outputs[0]) halved = true;
      else if (!timesX && next.opType === 'Mul' && other(next, last.outputs[0]) === x) timesX = true;
      else if (!timesX && !halved && halvedX && this.scaled(halvedX, 0.5) === x) {
        pieces.push(halvedX);
        timesX = halved = true;
      } else return undefined;
      last = next;
    }
    return { x, pieces, last };
  }

  /** The other factor of a node that multiplies by the constant `factor` or divides by its inverse. */
  private scaled(node: Node, factor: number): string | undefined {
    const [a, b] = node.inputs;
    const near = (v: number | undefined, want: number) =>
      v !== undefined && Math.abs(v - want) <= 1e-4 * want;
    if (node.domain !== '') return undefined;
    if (node.opType === 'Div' && near(this.single(b), 1 / factor)) return a;
    if (node.opType === 'Mul' && near(this.single(b), factor)) return a;
    return node.opType === 'Mul' && near(this.single(a), factor) ? b : undefined;
  }

  private single(name: string): number | undefined {
    const t = this.graph.initializers.get(name);
    return t && t.dims.length <= 1 && elementCount(t.dims) === 1 ? tensorNumbers(t)[0] : undefined;
  }

  /** The node that makes `name`, if it has exactly one reader. */
  private onlyFor(name: string): Node | undefined {
    const only = this.readers.get(name)?.length === 1 && !this.kept.has(name);
    return only ? this.producers.get(name) : undefined;
  }

  private onlyReader(node: Node): Node | undefined {
    const [y] = node.outputs;
    const readers = this.kept.has(y) ? [] : (this.readers.get(y) ?? []);
    return readers.length === 1 ? readers[0] : undefined;
  }

  private keepAll(body: Graph): void {
    body.outputs.forEach((o) => this.kept.add(o.name));
    for (const node of body.nodes) {
      node.inputs.forEach((x) => this.kept.add(x));
      for (const a of node.attributes.values()) if (a.type === 'graph') this.keepAll(a.value);
    }
  }
}

const other = (node: Node, input: string): string =>
  node.inputs[0] === input ? node.inputs[1] : node.inputs[0];
