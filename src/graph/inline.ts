import { AuroraError } from '../base/errors';
import { count } from '../base/number-text';
import type { Attribute, Graph, Model, Node } from './model';
import { calledKey, localFunctions, referenceOf, type LocalFunction } from './onnx/function';

export interface InlinedModel {
  model: Model;
  /** The version of the standard operators that a node is written in, where it is not the model's. */
  opsets: ReadonlyMap<Node, number>;
}

/** Functions that call each other twice grow exponentially. */
const MOST_NODES = 1_000_000;

/**
 * A model with the bodies of its local functions in place of their calls, as torch.onnx and onnxscript write them. A
 * model without functions is returned as it is.
 *
 * @throws AuroraError 'model' for functions that call themselves
 */
export function inlineFunctions(model: Model): InlinedModel {
  const { functions, rest } = localFunctions(model);
  if (functions.length === 0) return { model, opsets: new Map() };
  const inliner = new Inliner(model, functions);
  const graph = inliner.graph(model.graph, new Scope(inliner, undefined));
  return { model: { ...model, graph, opsets: inliner.versions, unknown: rest }, opsets: inliner.opsets };
}

/** A call of a function. */
interface Call {
  /** The names of the nodes that are called, from the outermost on. */
  path: string;
  functions: readonly string[];
  opset: number | undefined;
  attributes: ReadonlyMap<string, Attribute>;
  metadata: ReadonlyMap<string, string>;
}

/** The tensors of a function, or of a body in it, under their names in the whole graph. Outside functions, names stay. */
class Scope {
  readonly names = new Map<string, string>();

  constructor(
    private readonly inliner: Inliner,
    readonly call: Call | undefined,
    private readonly outer?: Scope,
  ) {}

  read(name: string): string {
    return this.names.get(name) ?? this.outer?.read(name) ?? name;
  }

  define(name: string): string {
    if (name === '' || !this.call) return name;
    const own = this.names.get(name) ?? this.inliner.fresh(`${this.call.path}/${name}`);
    this.names.set(name, own);
    return own;
  }
}

class Inliner {
  readonly versions: Map<string, number>;
  readonly opsets = new Map<Node, number>();
  private readonly functions: ReadonlyMap<string, LocalFunction>;
  private readonly taken = new Set<string>();
  /** ONNX Runtime takes no two nodes of one name, either. */
  private readonly nodes = new Set<string>();
  private count = 0;

  constructor(model: Model, functions: readonly LocalFunction[]) {
    this.versions = new Map(model.opsets);
    this.functions = new Map(functions.map((f) => [f.key, f]));
    this.reserve(model.graph);
    for (const f of functions)
      for (const [domain, version] of f.opsets)
        if (!this.versions.has(domain)) this.versions.set(domain, version);
  }

  fresh(wanted: string, taken = this.taken): string {
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    return name;
  }

  graph(source: Graph, scope: Scope): Graph {
    const inputs = source.inputs.map((i) => ({ ...i, name: scope.define(i.name) }));
    const initializers = new Map(
      [...source.initializers.values()].map((t) => {
        const name = scope.define(t.name);
        return [name, name === t.name ? t : { ...t, name }];
      }),
    );
    const nodes: Node[] = [];
    this.emit(source.nodes, scope, nodes);
    const outputs = source.outputs.map((o) => ({ ...o, name: scope.read(o.name) }));
    return { ...source, inputs, initializers, nodes, outputs };
  }

  private emit(nodes: readonly Node[], scope: Scope, sink: Node[]): void {
    for (const source of nodes) {
      const node = this.renamed(source, scope);
      const called = this.functions.get(calledKey(node));
      if (called) this.call(called, node, scope, sink);
      else this.push(node, scope.call?.opset, sink);
    }
  }

  private push(node: Node, opset: number | undefined, sink: Node[]): void {
    if (++this.count > MOST_NODES)
      throw new AuroraError(
        'model',
        `The model's local functions, written out, have more than ${count(MOST_NODES)} nodes.`,
        'The file may be damaged. Export the model again.',
      );
    if (opset !== undefined && opset !== this.versions.get('')) this.opsets.set(node, opset);
    sink.push(node);
  }

  private call(f: LocalFunction, node: Node, outer: Scope, sink: Node[]): void {
    const functions = outer.call?.functions ?? [];
    if (functions.includes(f.key))
      throw new AuroraError(
        'model',
        `The local function ${node.opType} calls itself (node ${node.name || node.outputs[0]}), which ONNX does not allow.`,
        'Export the model again.',
      );
    const scope = new Scope(this, {
      path: node.name || node.outputs.find((y) => y !== '') || node.opType,
      functions: [...functions, f.key],
      opset: f.opsets.get(''),
      attributes: new Map([...f.defaults, ...node.attributes]),
      metadata: node.metadata,
    });
    f.inputs.forEach((name, i) => scope.names.set(name, node.inputs[i] ?? ''));
    const copies: [string, string][] = [];
    f.outputs.forEach((name, i) => {
      const y = node.outputs[i];
      if (!y) return;
      if (scope.names.has(name)) copies.push([name, y]);
      else scope.names.set(name, y);
    });
    this.emit(f.nodes, scope, sink);
    // No node makes an output that is also an input or another output.
    for (const [name, y] of copies)
      this.push(
        {
          opType: 'Identity',
          domain: '',
          name: this.fresh(`${y}/Identity`, this.nodes),
          inputs: [scope.read(name)],
          outputs: [y],
          attributes: new Map(),
          metadata: new Map(),
        },
        scope.call?.opset,
        sink,
      );
  }

  /** A node with the names and attributes of the call that it is in. */
  private renamed(node: Node, scope: Scope): Node {
    const { call } = scope;
    const inputs = node.inputs.map((x) => scope.read(x));
    const attributes = new Map<string, Attribute>();
    for (const [name, a] of node.attributes) {
      const reference = call && referenceOf(a);
      const value = reference === undefined ? a : call!.attributes.get(reference);
      if (value?.type === 'graph')
        attributes.set(name, { type: 'graph', value: this.graph(value.value, new Scope(this, call, scope)) });
      else if (value) attributes.set(name, value);
    }
    const outputs = node.outputs.map((y) => scope.define(y));
    if (!call) return { ...node, inputs, outputs, attributes };
    const name = this.fresh(`${call.path}/${node.name || node.opType}`, this.nodes);
    return {
      ...node,
      name,
      inputs,
      outputs,
      attributes,
      metadata: new Map([...call.metadata, ...node.metadata]),
    };
  }

  private reserve(graph: Graph): void {
    for (const { name } of [...graph.inputs, ...graph.initializers.values()]) this.taken.add(name);
    for (const node of graph.nodes) {
      this.nodes.add(node.name);
      for (const y of node.outputs) this.taken.add(y);
      for (const a of node.attributes.values()) if (a.type === 'graph') this.reserve(a.value);
    }
  }
}
