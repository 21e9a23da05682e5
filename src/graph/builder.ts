import { toAttribute, type AttributeLike } from './attributes';
import { tensorOf } from './values';
import { DType } from './dtype';
import type { Graph, Node, Tensor } from './model';

export interface OpOptions {
  domain?: string;
  name?: string;
  /** Number of outputs, or their names; by default one with a fresh name. */
  outputs?: number | string[];
}

/** The prefix of constants that are not parameters, in models that are written from a folder. */
export const CONSTANTS = '/constants';

/** True for the name of such a constant, also of a part of a model: `/text_encoder/constants/…`. */
export const isWritten = (name: string): boolean => /^(?:\/\w+)?\/constants\//.test(name);

/**
 * Appends nodes and constants to a graph under unique names. Emission order is execution order, so inputs must exist
 * before they are used.
 */
export class GraphBuilder {
  private readonly taken = new Set<string>();
  private readonly constants = new Map<string, string>();
  private next = 0;

  /** @param sink the list that new nodes go to; the graph's own list unless a rewrite collects them elsewhere */
  constructor(
    readonly graph: Graph,
    private readonly prefix: string,
    readonly sink: Node[] = graph.nodes,
  ) {
    for (const i of [...graph.inputs, ...graph.outputs]) this.taken.add(i.name);
    for (const name of graph.initializers.keys()) this.taken.add(name);
    for (const node of graph.nodes) for (const name of node.outputs) this.taken.add(name);
  }

  fresh(hint: string): string {
    let name: string;
    do name = `${this.prefix}/${hint}_${this.next++}`;
    while (this.taken.has(name));
    this.taken.add(name);
    return name;
  }

  /** Emits a node; returns its first output. */
  op(
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeLike> = {},
    options: OpOptions = {},
  ): string {
    return this.ops(opType, inputs, attributes, options)[0];
  }

  /** Emits a node; returns all its outputs. */
  ops(
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeLike> = {},
    options: OpOptions = {},
  ): string[] {
    const wanted = options.outputs ?? 1;
    const outputs = Array.isArray(wanted) ? wanted : Array.from({ length: wanted }, () => this.fresh(opType));
    for (const name of outputs) this.taken.add(name);
    this.sink.push({
      opType,
      domain: options.domain ?? '',
      name: options.name ?? outputs[0],
      inputs,
      outputs,
      attributes: new Map(Object.entries(attributes).map(([k, v]) => [k, toAttribute(v)])),
      metadata: new Map(),
    });
    return outputs;
  }

  /** A constant, shared with every equal one this builder made. */
  constant(dtype: number, dims: number[], values: number[]): string {
    const key = `${dtype}:${dims.join(',')}:${values.map((v) => (Object.is(v, -0) ? '-0' : v)).join(',')}`;
    let name = this.constants.get(key);
    if (!name) {
      name = this.fresh('const');
      this.constants.set(key, name);
      this.graph.initializers.set(name, tensorOf(name, dtype, dims, values));
    }
    return name;
  }

  /** A 0-dimensional constant. */
  scalar(value: number, dtype: number): string {
    return this.constant(dtype, [], [value]);
  }

  /** A 1-dimensional int64 constant: axes, shapes, starts. */
  ints(values: number[]): string {
    return this.constant(DType.int64, [values.length], values);
  }

  addInitializer(tensor: Tensor): string {
    this.taken.add(tensor.name);
    this.graph.initializers.set(tensor.name, tensor);
    return tensor.name;
  }

  addInput(name: string, dtype: number, shape: (number | string | undefined)[]): string {
    this.taken.add(name);
    this.graph.inputs.push({ name, dtype, shape });
    return name;
  }

  addOutput(name: string): void {
    this.graph.outputs.push({ name, dtype: 0, shape: undefined });
  }
}
