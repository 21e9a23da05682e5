import { own } from '../../../base/names';
import { modulePath, scopeOf } from '../../layers/module-path';
import { pathOfScopes } from '../../layers/scope-path';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';

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
