import { attrFloat, attrInt } from '../../attributes';
import type { Rule } from '../rule';
import { dequantizedAgain } from '../quantized/dequantized-again';

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
