import { attrFloat, attrInt, attrString } from '../../attributes';
import type { Rule, RuleContext } from '../rule';
import { dequantizedAgain } from './quantized-weights';

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

/** Y = α·A′·B′ + β·C, where ′ is a transpose if the attribute is set; C broadcasts. */
const gemmRule: Rule = (c) => {
  const [a, b, bias] = c.x;
  const dy = c.dy[0]!;
  const transA = attrInt(c.node, 'transA', 0);
  const transB = attrInt(c.node, 'transB', 0);
  const alpha = { float: attrFloat(c.node, 'alpha', 1) };
  const beta = attrFloat(c.node, 'beta', 1);
  const product = (left: string, right: string, tLeft: number, tRight: number) =>
    c.op('Gemm', [left, right], { transA: tLeft, transB: tRight, alpha });

  let da: string | undefined;
  let db: string | undefined;
  let dc: string | undefined;
  if (c.needs(0)) {
    const w = dequantizedAgain(c, b, dy);
    da = transA ? product(w, dy, transB, 1) : product(dy, w, 0, 1 - transB);
  }
  if (c.needs(1)) db = transB ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0);
  if (c.needs(2)) {
    dc = c.unbroadcast(dy, c.y[0], bias);
    if (beta !== 1) dc = c.op('Mul', [dc, c.scalar(beta, bias)]);
  }
  return [da, db, dc];
};

export const gemm: Record<string, Rule> = { Gemm: gemmRule };

/** An axis of an operand: its label and its size there (an operand may have size 1 where another has more). */
interface Label {
  label: string;
  size: number | string;
}

/**
 * The gradient of an operand is again an einsum: the output's gradient with the other operands, summed down to the
 * operand's labels. A label that only this operand has was summed away, so its gradient is constant along it.
 */
const einsumRule: Rule = (c) => {
  const { operands, output } = parse(c);
  return c.x.map((x, i) => {
    if (!c.needs(i)) return undefined;
    const others = operands.flatMap((o, j) => (j === i ? [] : [o]));
    const factors = [output, ...others];
    const full = (l: Label) =>
      factors.some((f) => f.some((m) => m.label === l.label && (l.size === 1 || m.size !== 1)));
    const broadcast = (l: Label) =>
      l.size === 1 && factors.some((f) => f.some((m) => m.label === l.label && m.size !== 1));
    const kept = operands[i].filter((l) => full(l) && !broadcast(l));
    const missing = operands[i].flatMap((l, axis) => (kept.includes(l) ? [] : [axis]));
    const strip = (f: Label[]) => f.map((l) => l.label).join('');
    const equation = `${factors.map(strip).join()}->${strip(kept)}`;
    const names = [c.dy[0]!, ...c.x.filter((_, j) => j !== i)];
    // Omits single-operand einsums that change nothing.
    let gradient =
      equation === `${strip(output)}->${strip(output)}` ? names[0] : c.op('Einsum', names, { equation });
    if (missing.length === 0) return gradient;
    gradient = c.op('Unsqueeze', [gradient, c.g.ints(missing)]);
    return missing.every((axis) => operands[i][axis].size === 1)
      ? gradient
      : c.op('Expand', [gradient, c.shapeTensor(x)]);
  });
};

/** The equation with the ellipsis, which covers the same number of axes in each term, spelled out in unused labels. */
function parse(c: RuleContext): { operands: Label[][]; output: Label[] } {
  const equation = attrString(c.node, 'equation', '').replace(/\s/g, '');
  const [left, right] = equation.split('->');
  const terms = left.split(',');
  const depth = Math.max(...terms.map((t, i) => c.rank(c.x[i]) - t.replace('...', '').length));
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((l) => !equation.includes(l)).slice(0, depth);
  const label = (term: string, name: string): Label[] =>
    [...term.replace('...', free.join(''))].map((l, axis) => ({ label: l, size: c.shape(name)[axis] }));
  const operands = terms.map((t, i) => label(t, c.x[i]));
  for (const o of operands)
    if (new Set(o.map((l) => l.label)).size < o.length)
      throw c.refuse(`is not supported if an operand repeats a label ("${equation}")`);
  return { operands, output: label(right ?? implicitOutput(left), c.y[0]) };
}

/** Without an arrow: the ellipsis, then the labels that occur once, in alphabetical order. */
function implicitOutput(left: string): string {
  const letters = [...left.replace(/\.{3}|,/g, '')].sort();
  const once = letters.filter((l) => letters.indexOf(l) === letters.lastIndexOf(l));
  return (left.includes('...') ? '...' : '') + once.join('');
}

export const einsum: Record<string, Rule> = { Einsum: einsumRule };
