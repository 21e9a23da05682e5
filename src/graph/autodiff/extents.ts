import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { TensorInfos } from '../tensor-infos';

/** The size of an axis: a number, or for an open axis the name of an int64 tensor with one element. */
export type Extent = number | string;

/** A part of a Split whose sizes are computed. */
export interface DealtPart {
  /** The tensor of all sizes. */
  sizes: string;
  part: number;
  parts: number;
}

/**
 * Sizes inside the gradient graph. An open axis is read from the graph input that carries its symbol, and each shape is
 * built once: a Shape of the activation itself would keep that activation in memory until the backward pass reaches it.
 */
export class Extents {
  private readonly shared = new Map<string, string>();

  constructor(
    private readonly g: GraphBuilder,
    private readonly infos: TensorInfos,
    /** Axes that no input carries, by their symbols. */
    private readonly dealt: ReadonlyMap<string, DealtPart> = new Map(),
  ) {}

  /** The size of one axis of a forward tensor. */
  dim(name: string, axis: number): Extent {
    const dim = this.infos.get(name)!.shape[axis];
    if (typeof dim === 'number') return dim;
    const own = this.dealt.get(dim);
    if (own)
      return this.once(`part ${own.sizes} ${own.part}`, () =>
        this.g.op('Slice', [own.sizes, this.g.ints([own.part]), this.g.ints([own.part + 1])]),
      );
    const [tensor, at] = this.carrier(dim) ?? [name, axis];
    return this.once(`dim ${tensor} ${at}`, () => this.g.op('Shape', [tensor], { start: at, end: at + 1 }));
  }

  /** The whole shape of a forward tensor, as an int64 vector. */
  shapeOf(name: string): string {
    const { shape } = this.infos.get(name)!;
    return this.once(`shape ${shape.join()}`, () =>
      this.vector(shape.map((_, axis) => this.dim(name, axis))),
    );
  }

  /** The sizes of an axis of several tensors, as an int64 vector. */
  along(names: readonly string[], axis: number): string {
    const found = names.map((name) => this.dealt.get(String(this.infos.get(name)!.shape[axis])));
    const [first] = found;
    const isWhole =
      first?.parts === names.length && found.every((p, i) => p?.sizes === first.sizes && p.part === i);
    return isWhole ? first.sizes : this.vector(names.map((name) => this.dim(name, axis)));
  }

  /** An int64 vector of sizes. */
  vector(parts: readonly Extent[]): string {
    const tensors: string[] = [];
    let run: number[] = [];
    const flush = () => {
      if (run.length) tensors.push(this.g.ints(run));
      run = [];
    };
    for (const part of parts)
      if (typeof part === 'number') run.push(part);
      else {
        flush();
        tensors.push(part);
      }
    flush();
    if (tensors.length === 0) return this.g.ints([]);
    return tensors.length === 1 ? tensors[0] : this.g.op('Concat', tensors, { axis: 0 });
  }

  add = (a: Extent, b: Extent): Extent => this.combine('Add', a, b, (x, y) => x + y, 0);
  sub = (a: Extent, b: Extent): Extent => this.combine('Sub', a, b, (x, y) => x - y, 0);
  mul = (a: Extent, b: Extent): Extent => this.combine('Mul', a, b, (x, y) => x * y, 1);
  min = (a: Extent, b: Extent): Extent => this.combine('Min', a, b, Math.min);
  max = (a: Extent, b: Extent): Extent => this.combine('Max', a, b, Math.max);

  private combine(
    op: string,
    a: Extent,
    b: Extent,
    fold: (x: number, y: number) => number,
    neutral?: number,
  ): Extent {
    if (typeof a === 'number' && typeof b === 'number') return fold(a, b);
    if (b === neutral) return a;
    const [x, y] = [a, b].map((e) => (typeof e === 'number' ? this.g.constant(DType.int64, [1], [e]) : e));
    return this.g.op(op, [x, y]);
  }

  private carrier(symbol: string): [string, number] | undefined {
    for (const input of this.g.graph.inputs) {
      const axis = this.infos.get(input.name)?.shape.indexOf(symbol) ?? -1;
      if (axis >= 0) return [input.name, axis];
    }
    return undefined;
  }

  private once(key: string, make: () => string): string {
    const name = this.shared.get(key) ?? make();
    this.shared.set(key, name);
    return name;
  }
}
