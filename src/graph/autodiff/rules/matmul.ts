import type { Rule, RuleContext } from '../rule';
import { dequantizedAgain } from '../quantized/dequantized-again';

const matmulRule: Rule = (c) => {
  const [a, b] = c.x;
  return c.rank(b) === 2 && c.rank(a) >= 2 ? linear(c) : batched(c);
};

/**
 * x·W over flattened rows. dX uses Gemm's transB: ONNX Runtime would fold a Transpose of a frozen weight into a second
 * copy of it, without being faster.
 */
function linear(c: RuleContext): (string | undefined)[] {
  const [a, w] = c.x;
  const flat = (t: string, width: string, axis: number) =>
    c.rank(a) === 2 ? t : c.op('Reshape', [t, c.extents.vector([-1, c.extents.dim(width, axis)])]);
  const dy = flat(c.dy[0]!, w, 1);
  let da: string | undefined;
  if (c.needs(0)) {
    da = c.op('Gemm', [dy, dequantizedAgain(c, w, dy)], { transB: 1 });
    if (c.rank(a) > 2) da = c.reshape(da, a);
  }
  return [da, c.needs(1) ? weightGradient(c, flat(a, w, 0), dy) : undefined];
}

/** xᵀ·dy, transposing the narrower of the two (an adapter's side is a few columns wide). */
function weightGradient(c: RuleContext, x: string, dy: string): string {
  const t = (m: string) => c.op('Transpose', [m], { perm: [1, 0] });
  const [rows, columns] = c.shape(c.x[1]);
  if (typeof rows === 'number' && typeof columns === 'number' && columns < rows)
    return t(c.op('MatMul', [t(dy), x]));
  return c.op('MatMul', [t(x), dy]);
}

/** NumPy's general product: vectors become one row or one column, batch axes broadcast. */
function batched(c: RuleContext): (string | undefined)[] {
  const [a, b] = c.x;
  const row = c.rank(a) === 1;
  const column = c.rank(b) === 1;
  const lift = (t: string, axis: number) => c.op('Unsqueeze', [t, c.g.ints([axis])]);
  const left = row ? lift(a, 0) : a;
  const right = column ? lift(b, 1) : b;
  let dy = c.dy[0]!;
  if (column) dy = lift(dy, -1);
  if (row) dy = lift(dy, -2);
  const leftShape = row ? [1, ...c.shape(a)] : c.shape(a);
  const rightShape = column ? [...c.shape(b), 1] : c.shape(b);
  const batch = c.shape(c.y[0]).slice(0, c.rank(c.y[0]) - (row ? 0 : 1) - (column ? 0 : 1));
  const t = (m: string, rank: number) =>
    c.op('Transpose', [m], { perm: [...Array(rank - 2).keys(), rank - 1, rank - 2] });

  let da: string | undefined;
  let db: string | undefined;
  if (c.needs(0)) {
    const full = c.op('MatMul', [dy, t(right, rightShape.length)]);
    da = c.sumTo(full, [...batch, ...leftShape.slice(-2)], leftShape);
    if (row) da = c.op('Squeeze', [da, c.g.ints([0])]);
  }
  if (c.needs(1)) {
    const full = c.op('MatMul', [t(left, leftShape.length), dy]);
    db = c.sumTo(full, [...batch, ...rightShape.slice(-2)], rightShape);
    if (column) db = c.op('Squeeze', [db, c.g.ints([1])]);
  }
  return [da, db];
}

export const matmul: Record<string, Rule> = { MatMul: matmulRule };
