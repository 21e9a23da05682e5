import { AuroraError } from '../base/errors';
import { count } from '../base/number-text';
import type { Attribute, Graph, Model, Node } from './model';
import { decodeAttribute, decodeNode } from './onnx/decode';
import { readMessage } from './onnx/wire';

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

/** A function that a model defines for itself (FunctionProto). */
interface LocalFunction {
  /** Domain, name and overload, as `functionKey` joins them. */
  key: string;
  inputs: string[];
  /** In order; a node's outputs may be fewer. */
  outputs: string[];
  nodes: Node[];
  /** The values of attributes that a call omits. */
  defaults: ReadonlyMap<string, Attribute>;
  opsets: ReadonlyMap<string, number>;
}

/** ModelProto.functions, and its tag's two bytes. */
const FUNCTIONS = 25;
const TAG = [0xca, 0x01];

const isFunction = (raw: Uint8Array): boolean => TAG.every((byte, i) => raw[i] === byte);

/** The functions of a model, and its other raw fields. */
function localFunctions({ unknown = [] }: Model): { functions: LocalFunction[]; rest: Uint8Array[] } {
  const functions: LocalFunction[] = [];
  for (const raw of unknown.filter(isFunction))
    readMessage(raw, { [FUNCTIONS]: (r) => functions.push(decodeFunction(r.bytes())) });
  return { functions, rest: unknown.filter((raw) => !isFunction(raw)) };
}

const standard = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

const keyOf = (domain: string, name: string, overload: string): string =>
  [standard(domain), name, overload].join(':');

/** The key of the function that a node calls if the model defines it. */
function calledKey(node: Node): string {
  let overload = '';
  for (const raw of node.unknown ?? []) readMessage(raw, { 8: (r) => (overload = r.string()) });
  return keyOf(node.domain, node.opType, overload);
}

function decodeFunction(bytes: Uint8Array): LocalFunction {
  let [name, domain, overload] = ['', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: Node[] = [];
  const defaults = new Map<string, Attribute>();
  const opsets = new Map<string, number>();
  readMessage(bytes, {
    1: (r) => (name = r.string()),
    4: (r) => inputs.push(r.string()),
    5: (r) => outputs.push(r.string()),
    7: (r) => nodes.push(decodeNode(r.bytes(), 0)),
    9: (r) => {
      let of = '';
      let version = 1;
      readMessage(r.bytes(), { 1: (o) => (of = o.string()), 2: (o) => (version = Number(o.int64())) });
      opsets.set(standard(of), version);
    },
    10: (r) => (domain = r.string()),
    11: (r) => defaults.set(...decodeAttribute(r.bytes(), 0)),
    13: (r) => (overload = r.string()),
  });
  return { key: keyOf(domain, name, overload), inputs, outputs, nodes, defaults, opsets };
}

/** The attribute of the function that one of its nodes takes a value from; undefined if the node itself has one. */
function referenceOf(a: Attribute): string | undefined {
  if (a.type !== 'other') return undefined;
  let name: string | undefined;
  readMessage(a.value, { 21: (r) => (name = r.string()) });
  return name || undefined;
}
