import { append } from '../../base/gathered';
import { attrFloat } from '../attributes';
import { elementCount, type Graph, type Node, type Tensor } from '../model';
import { readersOf } from '../reads';
import { OF_HEAD, OF_POOLER } from '../task-head';
import { placesOf, sortedInput, unsorted } from './sorted-input';
import { isModuleParameter, modulePath, PACKED, sameModule } from './module-path';
import {
  computedWeight,
  linearOperand,
  ownBias,
  PASSES,
  type WeightOperand,
  weightOperands,
} from './weight-operands';

/** A use of a linear layer: `output = input · W` (or `· Wᵀ`), before or after its bias. */
export interface LinearCall {
  node: Node;
  input: string;
  output: string;
}

/** A linear layer of the graph as exported: a rank-2 weight, under its module's path. */
export interface LinearLayer {
  /** Dotted, as `named_modules()` gives it: `encoder.layer.0.attention.self.query`. */
  path: string;
  /** PyTorch's path if `path` lacks a task model's prefix. */
  pytorchPath?: string;
  inFeatures: number;
  outFeatures: number;
  /** The initializer that holds the weight. */
  weight: Tensor;
  /** If several layers share the initializer, (in, columns of all): the first of this layer's columns. */
  firstColumn?: number;
  /** The constant with the places of the features in the stored weight, if it has them sorted; `dequantize` has them as they were. */
  order?: string;
  /** Stored as (out, in), PyTorch's order, rather than (in, out). */
  transposed: boolean;
  /** Gemm's alpha: the layer computes `alpha · x W`. */
  alpha: number;
  /** False if the weight is computed (dequantized, cast) and cannot be replaced in place. */
  plain: boolean;
  /** Otherwise: the values (out, in) that the layer multiplies by, if they can be computed without the runtime. */
  dequantize?: () => Float32Array;
  /** The type of the values that the layer multiplies by. */
  valueType: number;
  /** A module called several times has several calls and one weight. */
  calls: LinearCall[];
  /** Nodes that read the same weight for another purpose (a tied embedding, another module). */
  sharedWith: string[];
  bias?: LinearBias;
  hasBias: boolean;
  /** In PyTorch it is a convolution of single pixels, with a weight (out, in, 1, 1). */
  isConvolution?: true;
  /** It is a table (vocabulary, hidden), and its input is ids of tokens instead of features. */
  isEmbedding?: true;
  /** It belongs to the pooler of a folder's base model. */
  pooler?: true;
}

/** A constant (out) added to a linear layer's output. */
export interface LinearBias {
  tensor: Tensor;
  /** The beginning of this layer's part, if several layers share the constant. */
  first?: number;
  /** The places where it is added: one entry per call, with the index of the input. */
  uses: { node: Node; input: number }[];
  /** True if something else reads it too: exporters deduplicate equal constants. */
  shared: boolean;
}

/**
 * Every linear layer of a graph whose nodes are in order, in that order.
 *
 * @param heads true for those of a task model's head too
 */
export function findLinearLayers(graph: Graph, { heads = false } = {}): LinearLayer[] {
  const operands = weightOperands(graph);
  const users = readersOf(graph);
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((y) => [y, n] as const)));
  const layers = new Map<string, LinearLayer>();
  const ofWeight = new Map<Tensor, LinearLayer[]>();
  const paths = new PathNumbers();
  const isList = numberedPaths(operands.keys());
  const candidates = graph.nodes.flatMap((node) => {
    const operand = node.metadata.has(OF_HEAD) && !heads ? undefined : linearOperand(graph, operands, node);
    return operand ? [{ node, operand }] : [];
  });
  const weights = new Set(candidates.flatMap(({ operand: o }) => (o.onConstant ? [] : [o.tensor])));
  for (const { node, operand } of candidates) {
    const { tensor } = operand;
    // A product of two constants is an exporter's table, unless one is known to be a module's weight.
    if (
      operand.onConstant &&
      !weights.has(tensor) &&
      !isModuleParameter(tensor.name) &&
      !isModuleParameter(biasName(operands, users, node) ?? '')
    )
      continue;
    const tied = (users.get(tensor.name) ?? []).some((n) => n.opType === 'Gather');
    const traces = { node, weight: tensor.name, bias: biasParameter(operands, users, node), tied };
    const base = modulePath(traces, isList) ?? tensor.name;
    const sorted = sortedInput(graph, makers, node);
    const call = { node, input: sorted?.input ?? node.inputs[0], output: node.outputs[0] };
    const again = ofWeight.get(tensor)?.find((l) => sameModule(l.path, base));
    if (again) {
      again.calls.push(call);
      continue;
    }
    const path = paths.of(base, tensor.name);
    const { part } = operand;
    const [rows, columns] = operand.dims;
    const layer: LinearLayer = {
      path,
      inFeatures: operand.transposed ? columns : rows,
      outFeatures: operand.transposed ? rows : columns,
      weight: tensor,
      ...(part && { firstColumn: part.from }),
      transposed: operand.transposed,
      alpha: node.opType === 'Gemm' ? attrFloat(node, 'alpha', 1) : 1,
      plain: operand.plain,
      valueType: operand.type,
      ...(operand.values && { dequantize: computedWeight(operand, node) }),
      ...(sorted && {
        order: sorted.order,
        dequantize: () => unsorted(operand.values!(), placesOf(graph, sorted)),
      }),
      calls: [call],
      sharedWith: [],
      hasBias: false,
      ...(node.metadata.has(OF_POOLER) && { pooler: true }),
    };
    layers.set(path, layer);
    append(ofWeight, tensor, layer);
  }
  for (const layer of layers.values()) {
    layer.sharedWith = otherUsers(layer, users);
    layer.bias = biasOf(operands, users, layer);
    layer.hasBias = layer.bias !== undefined;
  }
  return [...layers.values()];
}

/** The bias added to a linear layer's output, by name. */
function biasName(
  operands: Map<string, WeightOperand>,
  users: Map<string, Node[]>,
  node: Node,
): string | undefined {
  const own = ownBias(node);
  if (own) return node.inputs[own];
  const add = (users.get(node.outputs[0]) ?? []).find((n) => n.opType === 'Add');
  return add?.inputs.find((x) => isStored(operands.get(x), x) && operands.get(x)?.tensor.dims.length === 1);
}

/** True if a tensor is a constant of the file, or a part of one that layers share. */
const isStored = (operand: WeightOperand | undefined, name: string): boolean =>
  operand?.tensor.name === name || operand?.part !== undefined;

/** A layer's bias under its name there: exporters deduplicate equal constants, with an Identity per module. */
function biasParameter(
  operands: Map<string, WeightOperand>,
  users: Map<string, Node[]>,
  node: Node,
): string | undefined {
  const add = (users.get(node.outputs[0]) ?? []).find((n) => n.opType === 'Add');
  const own = ownBias(node);
  const name = own ? node.inputs[own] : add?.inputs.find((x) => operands.get(x)?.tensor.dims.length === 1);
  if (name === undefined || isModuleParameter(name)) return name;
  return operands.get(name)?.tensor.name ?? name;
}

/** The bias of a layer, if every call adds the same one unchanged. */
function biasOf(
  operands: Map<string, WeightOperand>,
  users: Map<string, Node[]>,
  layer: LinearLayer,
): LinearBias | undefined {
  const names = new Set(layer.calls.map(({ node }) => biasName(operands, users, node)));
  const [name] = names;
  const operand = name === undefined ? undefined : operands.get(name);
  if (names.size !== 1 || !operand || !isStored(operand, name!)) return undefined;
  const { tensor, part } = operand;
  if (`${part?.size ?? tensor.dims}` !== `${layer.outFeatures}`) return undefined;
  if (layer.calls.some(({ node }) => attrFloat(node, 'beta', 1) !== 1)) return undefined;
  const uses = layer.calls.map(({ node, output }) => {
    const adds = ownBias(node) ? node : users.get(output)!.find((n) => n.inputs.includes(name!))!;
    return { node: adds, input: adds.inputs.indexOf(name!) };
  });
  const others = part ? users.get(tensor.name)!.some((n) => !n.metadata.has(PACKED)) : false;
  return {
    tensor,
    ...(part && { first: part.from }),
    uses,
    shared: others || users.get(name!)!.length > uses.length,
  };
}

/** Other readers of the weight, in graph order, each after the chain of nodes that leads to it. */
function otherUsers(layer: LinearLayer, users: Map<string, Node[]>): string[] {
  const seen = new Set(layer.calls.map((c) => c.node));
  const found: string[] = [];
  const waiting = [...(users.get(layer.weight.name) ?? [])].reverse();
  for (let user = waiting.pop(); user; user = waiting.pop()) {
    if (seen.has(user)) continue;
    if (user.metadata.has(PACKED)) {
      seen.add(user);
      const own = new Set(layer.calls.map((c) => c.node.inputs[1]));
      for (const part of user.outputs.filter((y) => own.has(y)))
        for (const reader of [...(users.get(part) ?? [])].reverse()) waiting.push(reader);
    } else if (PASSES.has(user.opType)) {
      seen.add(user);
      for (const reader of [...(users.get(user.outputs[0]) ?? [])].reverse()) waiting.push(reader);
    } else found.push(user.name || user.outputs[0]);
  }
  return found;
}

/** Different weights under one name (functional calls in one scope) are different layers. */
class PathNumbers {
  private readonly weights = new Map<string, Map<string, number>>();

  of(base: string, weight: string): string {
    const numbers = this.weights.get(base) ?? new Map<string, number>();
    this.weights.set(base, numbers);
    const nth = numbers.get(weight) ?? numbers.size;
    numbers.set(weight, nth);
    return nth === 0 ? base : `${base}_${nth}`;
  }
}

/** @returns a test: true if a constant's name puts a module at or below a number after a path: `PATH.3.weight` */
function numberedPaths(names: Iterable<string>): (path: string) => boolean {
  const paths = new Set<string>();
  for (const name of names) {
    if (name.includes('::') || name.includes('/')) continue;
    for (const { index } of name.matchAll(/\.\d+(?=\.)/g)) paths.add(name.slice(0, index));
  }
  return (path) => paths.has(path);
}

/** A layer's path in the PyTorch model. */
export const pytorchPathOf = ({ path, pytorchPath = path }: LinearLayer): string => pytorchPath;

/** Operators that may lie between a layer, with its bias, and an output that has the same values. */
const SAME_VALUES = ['Identity', 'Reshape'];

/**
 * Paths of the layers whose output is the model's own output, also multiplied by a number (Granite's logits_scaling) or capped
 * (Gemma 2's final_logit_softcapping): "all-linear" leaves them out, as PEFT does. Hidden states are no such output: OPT-350M
 * ends in a layer before its head.
 */
export function outputLayers(graph: Graph, layers: readonly LinearLayer[]): string[] {
  const outputs = new Set(graph.outputs.map((o) => o.name).filter((name) => name !== 'last_hidden_state'));
  const after = (isOne: (node: Node) => boolean): ReadonlyMap<string, string> =>
    new Map(graph.nodes.filter(isOne).flatMap((n) => n.inputs.map((x) => [x, n.outputs[0]])));
  const isNumber = (name: string): boolean => {
    const tensor = graph.initializers.get(name);
    return tensor !== undefined && elementCount(tensor.dims) === 1;
  };
  const biased = after((n) => n.opType === 'Add');
  const same = after((n) => SAME_VALUES.includes(n.opType));
  const scaled = after((n) => (n.opType === 'Mul' || n.opType === 'Div') && n.inputs.some(isNumber));
  const tanh = after((n) => n.opType === 'Tanh');
  // A cap is c · tanh(x / c). Without the product, as after a pooler, tanh belongs to a layer inside the model.
  const isOutput = (x: string | undefined): boolean =>
    x !== undefined &&
    (outputs.has(x) || isOutput(same.get(x)) || isOutput(scaled.get(x)) || isCapped(scaled.get(x)));
  const isCapped = (x: string | undefined): boolean => {
    const y = x === undefined ? undefined : tanh.get(x);
    return y !== undefined && isOutput(scaled.get(y));
  };
  return layers
    .filter((l) => l.calls.some((c) => isOutput(c.output) || isOutput(biased.get(c.output))))
    .map((l) => l.path);
}
