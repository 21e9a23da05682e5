import { own } from '../../base/names';
import { modulePath, pathOfScopes, sameModule, scopeOf } from '../layers/module-path';
import { type Graph, isFileRef, type Node, type Tensor } from '../model';
import { readersOf, readsOf } from '../reads';
import type { RewriteContext } from '../rewrite';
import { readTensorBytes } from '../values';

/**
 * The names of query, key and value beside an output projection of this name; otherwise by BERT's names. One name is
 * that of a single module for all three.
 */
const NAMES = new Map([
  ['c_proj', ['c_attn']],
  ['out_lin', ['q_lin', 'k_lin', 'v_lin']],
  ['out_proj', ['q_proj', 'k_proj', 'v_proj']],
  ['o_proj', ['q_proj', 'k_proj', 'v_proj']],
  ['o', ['q', 'k', 'v']],
]);
const BERT = ['query', 'key', 'value'];

/** The surroundings of a node in its graph. */
type Surroundings = Pick<RewriteContext, 'source' | 'readers' | 'constant'>;

/**
 * Module paths of the projections in a fused attention, three or one, which no longer has their names. Its output may still be
 * named after the attention's module, `/encoder/layer.0/attention/self/Reshape_3_output_0`; the projection after it has
 * its own path.
 */
export function projectionPaths(c: Surroundings, node: Node): string[] {
  const after = outputProjection(c, node);
  const names = NAMES.get(after?.split('.').at(-1) ?? '') ?? BERT;
  const scope = scopeOfTensor(node.outputs[0]);
  // BERT's projections are in a module beside the one of the output, which is not always in a name.
  const own = scope !== undefined && `${scope}.output.dense` !== after ? scope : undefined;
  const module = own ?? beside(after) ?? scopeOf(node) ?? ownName(c, node);
  return names.map((name) => `${module}.${name}`);
}

/** The path of the linear layer that reads an attention's output; its bias may be in the fused operator after it. */
function outputProjection(c: Surroundings, { outputs: [y] }: Node): string | undefined {
  const layer = c.readers(y).find((n) => n.opType === 'MatMul' || n.opType === 'Gemm');
  if (!layer || !c.constant(layer.inputs[1])) return undefined;
  const bias =
    layer.inputs[2] ?? c.readers(layer.outputs[0]).map((n) => n.inputs.at(own(BIAS_AT, n.opType) ?? 0))[0];
  const isBias = bias !== undefined && c.constant(bias)?.dims.length === 1;
  const traces = { node: layer, weight: layer.inputs[1], bias: isBias ? bias : undefined, tied: false };
  return modulePath(traces, () => false);
}

const BIAS_AT: Record<string, number> = {
  SkipLayerNormalization: 4,
  SkipSimplifiedLayerNormalization: 3,
  Add: 1,
};

/** The module in whose code torch.onnx's classic exporter made a tensor. */
function scopeOfTensor(name: string): string | undefined {
  const parts = name.split('/').filter((p) => p !== '');
  const made = parts.pop() ?? '';
  if (!name.startsWith('/') || parts.length < 2 || !/^[A-Za-z]+(?:_\d+)?_output_\d+$/.test(made))
    return undefined;
  return pathOfScopes(parts, () => false);
}

/** The attention to which an output projection belongs. */
const beside = (projection: string | undefined): string | undefined =>
  projection?.endsWith('.attention.output.dense')
    ? projection.replace(/output\.dense$/, 'self')
    : projection?.replace(/\.[^.]+$/, '');

const ownName = (c: Surroundings, node: Node): string =>
  node.name ||
  `Attention_${c.source.filter((n) => n.opType === node.opType).findIndex((n) => n.outputs[0] === node.outputs[0])}`;

/** The length of a weight's beginning, which nearly always differs from that of another module. */
const BEGINNING = 4096;

/**
 * Lets all calls of a fused attention read one packed weight. ONNX Runtime's optimizer packs the projections of each call
 * for itself, so there are as many copies as calls where one module is every layer's, as in ALBERT.
 *
 * @param graph changed in place
 */
export function shareCopies(graph: Graph): void {
  const fused = graph.nodes.filter((n) => n.opType === 'Attention' && n.domain === 'com.microsoft');
  if (fused.length < 2) return;
  const constant = (name: string | undefined) => graph.initializers.get(name ?? '');
  const readers = readersOf(graph);
  const c = { source: graph.nodes, constant, readers: (name: string) => readers.get(name) ?? [] };
  const module = (node: Node) => projectionPaths(c, node)[0];
  const originals = new Map<string, Node[]>();
  const replaced = new Set<string>();
  for (const node of fused) {
    const [, weight, bias] = node.inputs;
    const [w, b] = [constant(weight), constant(bias)];
    if (!w || (bias && !b)) continue;
    const known = originals.get(`${w.dims} ${b?.dims}`) ?? [];
    originals.set(`${w.dims} ${b?.dims}`, known);
    const original = known.find(
      ({ inputs: [, ow, ob] }, i) =>
        sameModule(module(known[i]), module(node)) && isCopy(w, constant(ow)!) && isCopy(b, constant(ob)),
    );
    if (!original) {
      known.push(node);
      continue;
    }
    for (const i of [1, 2]) {
      if (node.inputs[i] && node.inputs[i] !== original.inputs[i]) replaced.add(node.inputs[i]);
      if (node.inputs[i]) node.inputs[i] = original.inputs[i];
    }
  }
  if (replaced.size === 0) return;
  const read = new Set([...graph.nodes.flatMap(readsOf), ...graph.outputs.map((o) => o.name)]);
  for (const name of replaced) if (!read.has(name)) graph.initializers.delete(name);
}

function isCopy(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.dtype !== b.dtype) return false;
  const equal = (x: Tensor, y: Tensor) => Buffer.from(readTensorBytes(x)).equals(readTensorBytes(y));
  return equal(beginning(a), beginning(b)) && equal(a, b);
}

function beginning(t: Tensor): Tensor {
  const { data } = t;
  return {
    ...t,
    data: isFileRef(data)
      ? { ...data, length: Math.min(BEGINNING, data.length) }
      : data.subarray(0, BEGINNING),
  };
}
