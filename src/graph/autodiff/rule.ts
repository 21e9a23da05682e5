import { AuroraError } from '../../base/errors';
import type { AttributeLike } from '../attributes';
import type { GraphBuilder } from '../builder';
import { sameShape, type TensorInfo, type TensorInfos } from '../tensor-infos';
import type { Node } from '../model';
import { tensorNumbers } from '../values';
import type { Extents } from './extents';

/**
 * A reverse-mode rule: maps a node and the gradients of its outputs to the gradients of its inputs, as names of emitted
 * tensors. One entry per input; undefined where no gradient flows (or none is needed).
 */
export type Rule = (c: RuleContext) => (string | undefined)[];

type Shape = readonly (number | string)[];

/**
 * The interface of a rule to the graph: queries and emitted nodes. Shapes are those of the forward tensors; a gradient
 * has its tensor's shape.
 */
export class RuleContext {
  constructor(
    readonly g: GraphBuilder,
    readonly node: Node,
    /** Gradient of each output; undefined if it does not reach the loss. */
    readonly dy: (string | undefined)[],
    private readonly infos: TensorInfos,
    private readonly wanted: (tensor: string) => boolean,
    readonly extents: Extents,
    private readonly producers: ReadonlyMap<string, Node>,
    private readonly sources: ReadonlyMap<string, Node>,
  ) {}

  /** The gradients that a rule passes to tensors further up: [tensor, gradient]. */
  readonly passed: [string, string][] = [];

  /** The node of the forward graph that has this output, also of integers, which have no gradient. */
  source(tensor: string): Node | undefined {
    return this.sources.get(tensor);
  }

  /** That node, if it is on the way of the gradient. */
  producer(tensor: string): Node | undefined {
    return this.producers.get(tensor);
  }

  /** Adds to the gradient of a tensor further up, past the nodes between it and this one, which get none. */
  pass(tensor: string, gradient: string): void {
    this.passed.push([tensor, gradient]);
  }

  /** Input names. */
  get x(): string[] {
    return this.node.inputs;
  }
  /** Output names. */
  get y(): string[] {
    return this.node.outputs;
  }

  /** True if input i leads to a trainable tensor. Emit nothing if it does not. */
  needs(i: number): boolean {
    return this.has(i) && this.wanted(this.x[i]);
  }

  /** True if the node has optional input i. */
  has(i: number): boolean {
    return i < this.x.length && this.x[i] !== '';
  }

  op(opType: string, inputs: string[], attributes: Record<string, AttributeLike> = {}): string {
    return this.g.op(opType, inputs, attributes);
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

  /** The values of a small constant input, or undefined if the input is computed. */
  constant(name: string): number[] | undefined {
    const t = this.g.graph.initializers.get(name);
    return t && tensorNumbers(t);
  }

  /** The value of a one-element constant; undefined for any other tensor. */
  single(name: string): number | undefined {
    const t = this.g.graph.initializers.get(name);
    return t && t.dims.every((d) => d === 1) ? tensorNumbers(t)[0] : undefined;
  }

  /** A scalar with the element type of `like`. */
  scalar(value: number, like: string): string {
    return this.g.scalar(value, this.info(like).dtype);
  }

  /** Zeros with the shape and type of a forward tensor. */
  zeros(like: string): string {
    return this.op('Expand', [this.scalar(0, like), this.extents.shapeOf(like)]);
  }

  /** The shape of `name` as an int64 tensor: a constant if it never changes. */
  shapeTensor(name: string): string {
    return this.extents.shapeOf(name);
  }

  /** `gradient` in the shape of the forward tensor `name`, which has the same number of elements. */
  reshape(gradient: string, name: string): string {
    const shape = this.shape(name);
    const open = shape.filter((d) => typeof d !== 'number').length;
    const target =
      open === 1 && !shape.includes(0)
        ? this.g.ints(shape.map((d) => (typeof d === 'number' ? d : -1)))
        : this.shapeTensor(name);
    return this.op('Reshape', [gradient, target]);
  }

  /**
   * `gradient` where `condition` holds, else 0; the condition may broadcast. A product, since on the CPU Where takes
   * twice as long as Cast and Mul, and three times as long if the condition is the smaller one.
   */
  where(condition: string, gradient: string, like: string): string {
    return this.op('Mul', [gradient, this.op('Cast', [condition], { to: this.info(like).dtype })]);
  }

  /** Undoes NumPy broadcasting: sums `gradient`, of shape `from`, down to shape `to`. */
  unbroadcast(gradient: string, from: string, to: string): string {
    return this.sumTo(gradient, this.shape(from), this.shape(to));
  }

  /** Sums `gradient` of shape `big` over every axis that `small` lacks or has with size 1. */
  sumTo(gradient: string, big: Shape, small: Shape): string {
    if (sameShape(big, small)) return gradient;
    const lead = big.length - small.length;
    const leading = big.slice(0, lead).map((_, i) => i);
    const kept = big.map((_, i) => i).filter((i) => i >= lead && small[i - lead] === 1 && big[i] !== 1);
    if (lead === 0 && kept.length === 0) return gradient;
    if (kept.length === 0) return this.op('ReduceSum', [gradient, this.g.ints(leading)], { keepdims: 0 });
    const summed = this.op('ReduceSum', [gradient, this.g.ints([...leading, ...kept])], { keepdims: 1 });
    return lead ? this.op('Squeeze', [summed, this.g.ints(leading)]) : summed;
  }

  /** Rejects this one node, with a reason that follows "the gradient of X". */
  refuse(reason: string): AuroraError {
    return new AuroraError(
      'operator',
      `The gradient of ${this.node.opType} (node "${this.node.name || this.y[0]}") ${reason}.`,
      'Adapt only layers above this node (layersToTransform), or export the model without it.',
    );
  }
}
