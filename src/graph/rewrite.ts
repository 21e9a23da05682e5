import { toAttribute, type AttributeLike } from './attributes';
import { GraphBuilder } from './builder';
import { Declared, filterValueInfo } from './declared';
import type { Attribute, Graph, Model, Node, Tensor } from './model';

/**
 * Replaces one node: emits its replacement, in order. The node is a private copy, so a rewrite that only changes inputs
 * or attributes edits it in place and emits it. Its output names must be produced.
 */
export type Rewrite = (node: Node, c: RewriteContext) => void;

export class RewriteContext {
  private readonly shared = new Map<string, string>();
  private producers?: Map<string, Node>;

  constructor(
    /** Emits before the next node. */
    readonly g: GraphBuilder,
    readonly declared: Declared,
    /** The nodes of the graph before the rewrite. */
    readonly source: readonly Node[],
    private readonly outer?: RewriteContext,
  ) {}

  emit(node: Node): void {
    this.g.sink.push(node);
  }

  /** Emits a helper that produces a tensor of the original; gets a new name, since a node of that name may exist. */
  produce(
    output: string,
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeLike> = {},
  ): string {
    return this.g.op(opType, inputs, attributes, { outputs: [output], name: this.g.fresh(opType) });
  }

  /** Emits another operator in a node's place, with its name, outputs and source module. */
  replace(
    node: Node,
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeLike> = {},
    outputs: string[] = node.outputs,
  ): void {
    const entries = Object.entries(attributes).map(([k, v]) => [k, toAttribute(v)] as const);
    this.emit({ ...node, opType, domain: '', inputs, outputs, attributes: new Map(entries) });
  }

  /** The node of the original graph that a tensor comes from. */
  producer(tensor: string): Node | undefined {
    this.producers ??= new Map(this.source.flatMap((n) => n.outputs.map((y) => [y, n] as const)));
    return this.producers.get(tensor);
  }

  /** The nodes of the original graph that read a tensor. */
  readers(tensor: string): readonly Node[] {
    return this.source.filter((n) => n.inputs.includes(tensor));
  }

  /** Emits nodes that several nodes need only once. @param key determines all that they depend on */
  once(key: string, make: () => string): string {
    const known = this.shared.get(key) ?? make();
    this.shared.set(key, known);
    return known;
  }

  /** The constant with this name, here or in an enclosing graph. */
  constant(name: string): Tensor | undefined {
    return this.g.graph.initializers.get(name) ?? this.outer?.constant(name);
  }
}

/**
 * A copy of the model in which `choose` has picked a rewrite for some nodes, including nodes in the bodies of If, Loop
 * and Scan. The original is unchanged; tensors are shared. Declarations (value_info) of tensors that no longer exist
 * are dropped.
 *
 * @param prefix of the names of new tensors
 * @param choose  gets a node's copy, and the node itself
 */
export function rewriteModel(
  model: Model,
  prefix: string,
  choose: (node: Node, source: Node) => Rewrite | undefined,
): Model {
  let graphs = 0;
  const rewriteGraph = (source: Graph, outer?: RewriteContext): Graph => {
    const nodes = source.nodes.map(copyNode);
    const graph: Graph = {
      ...source,
      nodes,
      initializers: new Map(source.initializers),
      inputs: [...source.inputs],
      outputs: [...source.outputs],
    };
    // Each graph has its own prefix: a name in a body must not shadow one outside it.
    const g = new GraphBuilder(graph, graphs++ ? `${prefix}/body${graphs}` : prefix, []);
    const c = new RewriteContext(g, new Declared(source, outer?.declared), source.nodes, outer);
    for (const [i, node] of nodes.entries()) {
      for (const [name, a] of node.attributes)
        if (a.type === 'graph') node.attributes.set(name, { type: 'graph', value: rewriteGraph(a.value, c) });
      c.declared.follow(node);
      const rewrite = choose(node, source.nodes[i]);
      if (rewrite) rewrite(node, c);
      else c.emit(node);
    }
    graph.nodes = g.sink;
    const alive = new Set([...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
    graph.unknown = filterValueInfo(source, (name) => alive.has(name));
    return graph;
  };
  return {
    ...model,
    opsets: new Map(model.opsets),
    metadata: new Map(model.metadata),
    graph: rewriteGraph(model.graph),
  };
}

function copyNode(node: Node): Node {
  return {
    ...node,
    inputs: [...node.inputs],
    outputs: [...node.outputs],
    attributes: new Map(node.attributes),
    metadata: new Map(node.metadata),
  };
}

/** Removes and returns an attribute. */
export function takeAttribute(node: Node, name: string): Attribute | undefined {
  const a = node.attributes.get(name);
  node.attributes.delete(name);
  return a;
}

/** Removes and returns an attribute that is a list of integers; undefined if absent. */
export function takeInts(node: Node, name: string): number[] | undefined {
  const a = takeAttribute(node, name);
  return a?.type === 'ints' ? a.value.map(Number) : undefined;
}

export function setAttribute(node: Node, name: string, value: AttributeLike): void {
  node.attributes.set(name, toAttribute(value));
}

/** Sets optional input `i`, leaving missing inputs before it empty. */
export function setInput(node: Node, i: number, name: string): void {
  while (node.inputs.length < i) node.inputs.push('');
  node.inputs[i] = name;
}
