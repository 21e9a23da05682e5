import { append } from '../../base/gathered';
import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { isFloat } from '../dtype';
import type { TensorInfos } from '../tensor-infos';
import { inheritMark } from '../int8/frozen-products';
import type { Graph, Node } from '../model';
import { mayDeal } from '../sizes/dealt-axes';
import { type DealtPart, Extents } from './extents';
import { ruleFor } from './rule-registry';
import { RuleContext } from './rule';

/**
 * Reverse-mode differentiation of a graph, as ordinary nodes appended to it. Only tensors between a trainable tensor
 * and the seeds are involved: nothing below the lowest adapter, nothing for frozen weights.
 *
 * @param seeds gradient tensor of each output that has one (shaped like the output)
 * @param wrt the trainable tensors
 * @param stop tensors where the gradient may stop
 * @returns the gradient tensor of each trainable that the seeds depend on
 */
export function differentiate(
  graph: Graph,
  infos: TensorInfos,
  seeds: ReadonlyMap<string, string>,
  wrt: readonly string[],
  stop: readonly string[] = [],
): Map<string, string> {
  const path = gradientPath(graph.nodes, infos, [...seeds.keys()], wrt, stop);
  requireRules(path.nodes);
  const g = new GraphBuilder(graph, '/grad');
  const sources = new Map(graph.nodes.flatMap((node) => node.outputs.map((y) => [y, node] as const)));
  const extents = new Extents(g, infos, dealtParts(graph, infos));
  const producers = new Map(path.nodes.flatMap((node) => node.outputs.map((y) => [y, node] as const)));
  const parts = new Map<string, string[]>();
  const add = (tensor: string, gradient: string) => append(parts, tensor, gradient);
  for (const [tensor, gradient] of seeds) add(tensor, gradient);
  for (const node of [...path.nodes].reverse()) {
    const dy = node.outputs.map((y) => collect(g, parts, y));
    if (dy.every((d) => d === undefined)) continue;
    const context = new RuleContext(
      g,
      node,
      dy,
      infos,
      (t) => path.tensors.has(t),
      extents,
      producers,
      sources,
    );
    const first = graph.nodes.length;
    const dx = ruleFor(node)!(context);
    inheritMark(node, graph.nodes.slice(first));
    dx.forEach((gradient, i) => {
      if (gradient !== undefined && context.needs(i)) add(node.inputs[i], gradient);
    });
    for (const [tensor, gradient] of context.passed) add(tensor, gradient);
  }
  const result = new Map<string, string>();
  for (const name of wrt) {
    const gradient = collect(g, parts, name);
    if (gradient) result.set(name, gradient);
  }
  return result;
}

/** The axes whose sizes only data decide, by their symbols: the part of a Split that each is. */
function dealtParts(graph: Graph, infos: TensorInfos): Map<string, DealtPart> {
  const parts = new Map<string, DealtPart>();
  for (const node of graph.nodes) {
    if (!mayDeal(graph, node)) continue;
    node.outputs.forEach((y, part) => {
      const shape = infos.get(y)?.shape;
      const size = shape?.at(attrInt(node, 'axis', 0));
      if (typeof size === 'string')
        parts.set(size, { sizes: node.inputs[1], part, parts: node.outputs.length });
    });
  }
  return parts;
}

/** The sum of all gradients that reach a tensor. */
function collect(g: GraphBuilder, parts: Map<string, string[]>, tensor: string): string | undefined {
  const list = parts.get(tensor);
  if (!list) return undefined;
  if (list.length > 1) parts.set(tensor, [list.reduce((a, b) => g.op('Add', [a, b]))]);
  return parts.get(tensor)![0];
}

/** Operators whose outputs are not continuous in their inputs: no gradient passes. */
const FLAT = new Set(
  (
    'Shape Size ConstantOfShape Range Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf ' +
    'ArgMax ArgMin Hardmax NonZero OneHot EyeLike Sign Floor Ceil Round ' +
    'RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli'
  ).split(' '),
);

const isFlat = (n: Node): boolean =>
  FLAT.has(n.opType) || (n.opType === 'Cast' && !isFloat(attrInt(n, 'to', 1)));

export interface GradientPath {
  nodes: Node[];
  tensors: Set<string>;
}

/** Nodes and tensors on a differentiable path from a trainable tensor to one of `targets`. */
export function gradientPath(
  nodes: readonly Node[],
  infos: TensorInfos | undefined,
  targets: readonly string[],
  wrt: readonly string[],
  stop: readonly string[] = [],
): GradientPath {
  const carries = (name: string): boolean => {
    const info = infos?.get(name);
    return info ? isFloat(info.dtype) : true;
  };
  const reached = new Set(wrt);
  // Integers that stand for numbers have their gradient, also after a Reshape or a Transpose.
  const rounded = new Set<string>();
  for (const node of nodes) {
    if (isFlat(node) || !node.inputs.some((x) => reached.has(x))) continue;
    const rounds = node.opType === 'QuantizeLinear' || node.inputs.some((x) => rounded.has(x));
    for (const y of node.outputs) {
      if (!y || stop.includes(y) || !(carries(y) || rounds)) continue;
      reached.add(y);
      if (!carries(y)) rounded.add(y);
    }
  }
  const needed = new Set(targets.filter((t) => reached.has(t)));
  const onPath: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (isFlat(node) || !node.outputs.some((y) => needed.has(y))) continue;
    const inputs = node.inputs.filter((x) => reached.has(x));
    if (inputs.length === 0) continue;
    inputs.forEach((x) => needed.add(x));
    onPath.push(node);
  }
  return { nodes: onPath.reverse(), tensors: needed };
}

/** Rejects all unsupported operators at once, before training: an AuroraError 'operator'. */
export function requireRules(nodes: readonly Node[]): void {
  const missing = nodes.filter((n) => !ruleFor(n));
  if (missing.length === 0) return;
  const names = missing
    .slice(0, 5)
    .map((n) => `${n.domain ? n.domain + '.' : ''}${n.opType} (node "${n.name || n.outputs[0]}")`);
  throw new AuroraError(
    'operator',
    `No gradient rule for ${names.join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''}, between an adapter and the loss.`,
    'Export the model with standard operators (no runtime-specific fusion), or adapt only layers above these nodes (layersToTransform). ' +
      '`aurora inspect` lists every such operator.',
  );
}
