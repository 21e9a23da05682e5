import { attrFloat, attrInt } from '../attributes';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { knownRank } from './parts/rank';
import { requireKnown } from './parts/refuse';

const ATTRIBUTES = ['alpha', 'transA', 'transB', 'transBatchA', 'transBatchB'];

/** alpha · A' B', where the matrices and the leading axis of each side may be transposed first. */
export const fusedMatMul: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['A', 'B'] });
  const alpha = attrFloat(node, 'alpha', 1);
  const type = c.declared.floatType(node.inputs[0]);
  const sides = (['A', 'B'] as const).map((side, i) => transposed(node, c, node.inputs[i], side));
  const [y] = node.outputs;
  const product = alpha === 1 ? y : c.g.fresh('MatMul');
  c.replace(node, 'MatMul', sides, {}, [product]);
  if (alpha !== 1) c.produce(y, 'Mul', [product, c.g.scalar(alpha, type)]);
};

function transposed(node: Node, c: RewriteContext, x: string, side: 'A' | 'B'): string {
  const matrix = attrInt(node, `trans${side}`, 0) !== 0;
  const batch = attrInt(node, `transBatch${side}`, 0) !== 0;
  if (!matrix && !batch) return x;
  if (!batch && c.declared.rank(x) === undefined) return c.g.op('Einsum', [x], { equation: '...ij->...ji' });
  const rank = knownRank(c, node, x);
  // A vector has nothing to transpose.
  if (rank < 2) return x;
  let perm = Array.from({ length: rank }, (_, i) => i);
  // The first axis moves after the batch axes: (h, b…, k) becomes (b…, h, k).
  if (batch) perm = [...perm.slice(1, -1), 0, rank - 1];
  if (matrix) perm = [...perm.slice(0, -2), perm[rank - 1], perm[rank - 2]];
  return c.g.op('Transpose', [x], { perm });
}
