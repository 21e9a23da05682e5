import { attrFloat, attrInt } from './attributes';
import type { Graph, Node, Tensor } from './model';
import { isModuleParameter, modulePath, sameModule } from './module-path';

/** One use of a linear layer: `output = input · W` (or `· Wᵀ`), before or after its bias. */
export interface LinearCall {
  node: Node;
  input: string;
  output: string;
}

/** A linear layer of the graph as exported: a rank-2 weight, under the path its module had. */
export interface LinearLayer {
  /** Dotted, as `named_modules()` gives it: `encoder.layer.0.attention.self.query`. */
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** The initializer that holds the weight. */
  weight: Tensor;
  /** Stored as (out, in), PyTorch's order, rather than (in, out). */
  transposed: boolean;
  /** Gemm's alpha: the layer computes `alpha · x W`. */
  alpha: number;
  /** False when the weight is computed (dequantised, cast) and cannot be replaced in place. */
  plain: boolean;
  /** A module that is called several times has several calls and one weight. */
  calls: LinearCall[];
  /** Nodes that read the same weight for something else (a tied embedding, another module). */
  sharedWith: string[];
  bias?: LinearBias;
  hasBias: boolean;
}

/** A constant (out) that is added to a linear layer's output. */
export interface LinearBias {
  tensor: Tensor;
  /** Where it is added, one for each call, and as which input. */
  uses: { node: Node; input: number }[];
  /** Whether something else reads it too: exporters keep equal constants once. */
  shared: boolean;
}

interface WeightOperand {
  tensor: Tensor;
  transposed: boolean;
  plain: boolean;
  /** The layer is applied to a constant: relative position embeddings, for one. */
  onConstant?: boolean;
}

/** Every linear layer of a graph, in execution order. */
export function findLinearLayers(graph: Graph): LinearLayer[] {
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const users = usersOf(graph);
  const layers = new Map<string, LinearLayer>();
  const ofPath = new Map<string, string[]>();
  const candidates = graph.nodes.flatMap((node) => {
    const operand = linearOperand(graph, producers, node);
    return operand ? [{ node, operand }] : [];
  });
  const weights = new Set(candidates.flatMap(({ operand: o }) => (o.onConstant ? [] : [o.tensor])));
  for (const { node, operand } of candidates) {
    const { tensor } = operand;
    // A product of two constants is a table of the exporter's, unless one is known as a module's weight.
    if (
      operand.onConstant &&
      !weights.has(tensor) &&
      !isModuleParameter(tensor.name) &&
      !isModuleParameter(biasName(graph, users, node) ?? '')
    )
      continue;
    const tied = (users.get(tensor.name) ?? []).some((n) => n.opType === 'Gather');
    const base = modulePath(node, tensor.name, biasName(graph, users, node), tied) ?? tensor.name;
    const call = { node, input: node.inputs[0], output: node.outputs[0] };
    const again = [...layers.values()].find((l) => l.weight === tensor && sameModule(l.path, base));
    if (again) {
      again.calls.push(call);
      continue;
    }
    // Different weights under one name (functional calls in one scope) are different layers.
    const known = ofPath.get(base) ?? [];
    if (!known.includes(tensor.name)) ofPath.set(base, [...known, tensor.name]);
    const nth = ofPath.get(base)!.indexOf(tensor.name);
    const path = nth === 0 ? base : `${base}_${nth}`;
    const [rows, columns] = tensor.dims;
    layers.set(path, {
      path,
      inFeatures: operand.transposed ? columns : rows,
      outFeatures: operand.transposed ? rows : columns,
      weight: tensor,
      transposed: operand.transposed,
      alpha: node.opType === 'Gemm' ? attrFloat(node, 'alpha', 1) : 1,
      plain: operand.plain,
      calls: [call],
      sharedWith: [],
      hasBias: false,
    });
  }
  for (const layer of layers.values()) {
    layer.sharedWith = otherUsers(layer, users, producers);
    layer.bias = biasOf(graph, users, layer);
    layer.hasBias = layer.bias !== undefined;
  }
  return [...layers.values()];
}

function usersOf(graph: Graph): Map<string, Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes) for (const x of node.inputs) users.set(x, [...(users.get(x) ?? []), node]);
  return users;
}

function linearOperand(graph: Graph, producers: Map<string, Node>, node: Node): WeightOperand | undefined {
  if (node.domain !== '') return undefined;
  const gemm = node.opType === 'Gemm';
  if (!gemm && node.opType !== 'MatMul') return undefined;
  // Gemm's transA leaves no batch axis in front.
  if (gemm && attrInt(node, 'transA', 0) === 1) return undefined;
  const found = weightOperand(graph, producers, node.inputs[1]);
  if (!found || found.tensor.dims.length !== 2) return undefined;
  const operand = { ...found, onConstant: weightOperand(graph, producers, node.inputs[0]) !== undefined };
  return gemm && attrInt(node, 'transB', 0) === 1 ? { ...operand, transposed: !operand.transposed } : operand;
}

/** Follows a weight back through what exporters put between it and its layer. */
function weightOperand(graph: Graph, producers: Map<string, Node>, name: string): WeightOperand | undefined {
  const tensor = graph.initializers.get(name);
  if (tensor) return { tensor, transposed: false, plain: true };
  const node = producers.get(name);
  if (!node) return undefined;
  const inner = () => weightOperand(graph, producers, node.inputs[0]);
  if (node.opType === 'Identity') return inner();
  if (node.opType === 'Transpose') {
    const found = inner();
    return found && { ...found, transposed: !found.transposed };
  }
  if (node.opType === 'Cast' || node.opType === 'DequantizeLinear') {
    const found = inner();
    return found && { ...found, plain: false };
  }
  return undefined;
}

/** The bias that is added to a linear layer's output, by name. */
function biasName(graph: Graph, users: Map<string, Node[]>, node: Node): string | undefined {
  if (node.opType === 'Gemm') return node.inputs[2];
  const add = (users.get(node.outputs[0]) ?? []).find((n) => n.opType === 'Add');
  return add?.inputs.find((x) => graph.initializers.get(x)?.dims.length === 1);
}

/** The same bias at every call, added as it is. */
function biasOf(graph: Graph, users: Map<string, Node[]>, layer: LinearLayer): LinearBias | undefined {
  const names = new Set(layer.calls.map(({ node }) => biasName(graph, users, node)));
  const [name] = names;
  const tensor = name === undefined ? undefined : graph.initializers.get(name);
  if (names.size !== 1 || tensor?.dims.join() !== `${layer.outFeatures}`) return undefined;
  if (layer.calls.some(({ node }) => attrFloat(node, 'beta', 1) !== 1)) return undefined;
  const uses = layer.calls.map(({ node, output }) => {
    const adds = node.opType === 'Gemm' ? node : users.get(output)!.find((n) => n.inputs.includes(name!))!;
    return { node: adds, input: adds.inputs.indexOf(name!) };
  });
  return { tensor, uses, shared: users.get(name!)!.length > uses.length };
}

function otherUsers(layer: LinearLayer, users: Map<string, Node[]>, producers: Map<string, Node>): string[] {
  const own = new Set(layer.calls.map((c) => c.node));
  const found: string[] = [];
  const visit = (name: string) => {
    for (const user of users.get(name) ?? []) {
      if (own.has(user)) continue;
      const passes = ['Identity', 'Transpose', 'Cast', 'DequantizeLinear'].includes(user.opType);
      if (passes && producers.get(user.outputs[0]) === user) visit(user.outputs[0]);
      else found.push(user.name || user.outputs[0]);
    }
  };
  visit(layer.weight.name);
  return found;
}
