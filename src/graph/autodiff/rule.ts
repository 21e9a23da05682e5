import { tensorNumbers } from '../values';
import type { GraphBuilder } from '../builder';
import { sameShape, type TensorInfo, type TensorInfos } from '../infos';
import type { Node } from '../model';

/**
 * A reverse-mode rule: from a node and the gradients of its outputs to the gradients of its inputs, as
 * names of tensors it emitted. One entry an input; undefined where no gradient flows (or none is needed).
 */
export type Rule = (c: RuleContext) => (string | undefined)[];

/** What a rule may ask and emit. Shapes are those of the forward tensors; a gradient has its tensor's shape. */
export class RuleContext {
  constructor(
    readonly g: GraphBuilder,
    readonly node: Node,
    /** Gradient of each output; undefined where it does not reach the loss. */
    readonly dy: (string | undefined)[],
    private readonly infos: TensorInfos,
    private readonly wanted: (tensor: string) => boolean,
  ) {}

  /** Input names. */
  get x(): string[] {
    return this.node.inputs;
  }
  /** Output names. */
  get y(): string[] {
    return this.node.outputs;
  }

  /** Whether input i leads to a trainable tensor. Emit nothing for one that does not. */
  needs(i: number): boolean {
    return i < this.x.length && this.x[i] !== '' && this.wanted(this.x[i]);
  }

  info(name: string): TensorInfo {
    const info = this.infos.get(name);
    if (!info)
      throw new Error(
        `No shape is known for ${name}, an input or output of ${this.node.opType} ${this.node.name}.`,
      );
    return info;
  }
  shape(name: string): (number | string)[] {
    return this.info(name).shape;
  }
  rank(name: string): number {
    return this.info(name).shape.length;
  }
  /** A non-negative axis of `name`. */
  axis(name: string, axis: number): number {
    return axis < 0 ? axis + this.rank(name) : axis;
  }

  /** The values of a small constant input, or undefined when the input is computed. */
  constant(name: string): number[] | undefined {
    const t = this.g.graph.initializers.get(name);
    return t && tensorNumbers(t);
  }

  /** A scalar of the same element type as `like`. */
  scalar(value: number, like: string): string {
    return this.g.scalar(value, this.info(like).dtype);
  }

  /** The shape of `name` as an int64 tensor: a constant where it never changes. */
  shapeTensor(name: string): string {
    const shape = this.shape(name);
    return shape.every((d) => typeof d === 'number')
      ? this.g.ints(shape as number[])
      : this.g.op('Shape', [name]);
  }

  /** Undoes NumPy broadcasting: sums `gradient`, shaped as `from`, down to the shape of `to`. */
  unbroadcast(gradient: string, from: string, to: string): string {
    const big = this.shape(from);
    const small = this.shape(to);
    if (sameShape(big, small)) return gradient;
    const lead = big.length - small.length;
    const axes = big.map((_, i) => i).filter((i) => i < lead || (small[i - lead] === 1 && big[i] !== 1));
    const summed = axes.length
      ? this.g.op('ReduceSum', [gradient, this.g.ints(axes)], { keepdims: 1 })
      : gradient;
    return lead ? this.g.op('Squeeze', [summed, this.g.ints(big.slice(0, lead).map((_, i) => i))]) : summed;
  }
}
