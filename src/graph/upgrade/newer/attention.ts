import { attrFloat, attrInt } from '../../attributes';
import { DType } from '../../dtype';
import type { Node } from '../../model';
import type { Rewrite, RewriteContext } from '../../rewrite';
import { attentionMask } from './attention-mask';
import { repeatHeads, splitHeads } from './heads';
import { knownRank } from '../../unfuse/parts/rank';

/**
 * Attention of ai.onnx 23 and 24: softmax(c·tanh(√s·q (√s·k)ᵀ / c) + mask) v, where a row whose keys are all masked is 0,
 * as in ONNX Runtime's kernel. Queries, keys and values are (batch, sequence, heads · size) or (batch, heads, sequence,
 * size); the cache is in the second form.
 */
export const attention: Rewrite = (node, c) => {
  const { g } = c;
  const [q, k, v, , pastKey, pastValue] = node.inputs;
  const [y, presentKey, presentValue] = node.outputs;
  const type = c.declared.floatType(q);
  const flat = knownRank(c, node, q) === 3;
  const axis = flat ? -1 : 1;
  const heads = attrInt(node, 'q_num_heads') ?? (flat ? undefined : c.declared.size(q, axis));
  const own = attrInt(node, 'kv_num_heads') ?? (flat ? undefined : c.declared.size(k, axis));
  const split = (x: string, count: number | undefined) => (flat ? splitHeads(c, x, count!) : x);
  const query = split(q, heads);
  const newKey = split(k, own);
  const key = withPast(c, newKey, pastKey, presentKey);
  const value = withPast(c, split(v, own), pastValue, presentValue);
  const counts = { queries: heads, own };
  const width = c.declared.size(q, -1);
  const root = rootOfScale(node, c, query, type, flat && width !== undefined ? width / heads! : width);
  const scaled = (x: string) => g.op('Mul', [x, root]);
  const turned = g.op('Transpose', [scaled(repeatHeads(c, key, query, counts))], { perm: [0, 1, 3, 2] });

  const stages = new Stages(node, c);
  let scores = stages.reach(0, g.op('MatMul', [scaled(query), turned]));
  const cap = attrFloat(node, 'softcap', 0);
  if (cap > 0) {
    const limit = g.scalar(cap, type);
    scores = g.op('Mul', [g.op('Tanh', [g.op('Div', [scores, limit])]), limit]);
  }
  scores = stages.reach(1, scores);
  const mask = attentionMask(node, c, { query, key, newKey, type });
  if (mask) scores = g.op('Add', [scores, mask.bias]);
  scores = stages.reach(2, scores);
  let shares = softmax(node, c, scores, type);
  if (stages.wanted === 3 && mask?.alive) shares = g.op('Mul', [shares, mask.alive]);
  stages.reach(3, shares);

  const whole = flat || mask?.alive ? g.fresh('MatMul') : y;
  c.replace(node, 'MatMul', [shares, repeatHeads(c, value, query, counts)], {}, [whole]);
  if (!flat && mask?.alive) c.produce(y, 'Mul', [whole, mask.alive]);
  if (!flat) return;
  const alive = mask?.alive ? g.op('Mul', [whole, mask.alive]) : whole;
  const rows = g.op('Transpose', [alive], { perm: [0, 2, 1, 3] });
  c.produce(y, 'Reshape', [rows, g.ints([0, 0, -1])]);
};

/** The keys or values of earlier tokens and of these; also an output if the node has it. */
function withPast(
  c: RewriteContext,
  x: string,
  past: string | undefined,
  present: string | undefined,
): string {
  if (past && present) return c.produce(present, 'Concat', [past, x], { axis: 2 });
  if (past) return c.g.op('Concat', [past, x], { axis: 2 });
  if (present) c.produce(present, 'Identity', [x]);
  return x;
}

/** The square root of the scale, which is 1/√size by default. */
function rootOfScale(node: Node, c: RewriteContext, query: string, type: number, size?: number): string {
  const scale = attrFloat(node, 'scale', size === undefined ? 0 : 1 / Math.sqrt(size));
  if (scale > 0) return c.g.scalar(Math.sqrt(scale), type);
  const { g } = c;
  const width = g.op('Cast', [g.op('Shape', [query], { start: 3, end: 4 })], { to: type });
  return g.op('Reciprocal', [g.op('Sqrt', [g.op('Sqrt', [width])])]);
}

function softmax(node: Node, c: RewriteContext, scores: string, type: number): string {
  const precision = attrInt(node, 'softmax_precision', 0);
  if (precision === 0 || precision === type || type === DType.double)
    return c.g.op('Softmax', [scores], { axis: -1 });
  const wide = c.g.op('Softmax', [c.g.op('Cast', [scores], { to: precision })], { axis: -1 });
  return c.g.op('Cast', [wide], { to: type });
}

/** The scores as an output: as products (0), after the cap (1), after the mask (2) or after softmax (3). */
class Stages {
  readonly wanted: number | undefined;

  constructor(
    private readonly node: Node,
    private readonly c: RewriteContext,
  ) {
    this.wanted = node.outputs[3] ? attrInt(node, 'qk_matmul_output_mode', 0) : undefined;
  }

  reach(stage: number, scores: string): string {
    return stage === this.wanted ? this.c.produce(this.node.outputs[3], 'Identity', [scores]) : scores;
  }
}
