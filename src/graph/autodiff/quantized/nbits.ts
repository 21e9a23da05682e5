import { isFloat } from '../../dtype';
import { dequantizedRows, floatZeros, rowWidth } from '../../pieces/nbits-rows';
import { piecesOf } from '../../pieces/rows';
import { nbitsOf } from '../../quantized/nbits';
import { Barrier } from '../../pieces/barrier';
import type { Rule } from '../rule';

/**
 * dA = dY · W, piece by piece over the rows of W (out, in): the operator has no transposed form. DequantizeLinear reads the
 * same bytes as the forward operator. The product with rounded activations (accuracy_level 4) is differentiated as if
 * it was exact.
 */
const nbitsRule: Rule = (c) => {
  if (!c.needs(0)) return [];
  const w = nbitsOf(c.node, (name) => c.g.graph.initializers.get(name));
  const [a] = c.x;
  const dy = c.rank(a) === 2 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, c.g.ints([-1, w.outFeatures])]);
  const width = rowWidth(w);
  let sum: string | undefined;
  for (const rows of piecesOf(w.outFeatures, width)) {
    const { from, to } = rows;
    const whole = from === 0 && to === w.outFeatures;
    const part = whole ? dy : c.op('Slice', [dy, c.g.ints([from]), c.g.ints([to]), c.g.ints([1])]);
    const piece = dequantizedRows(c.g, w, rows, new Barrier(c.g, [sum ?? dy]));
    sum = c.op('Gemm', sum === undefined ? [part, piece] : [part, piece, sum]);
    if (w.zeroPoints && isFloat(w.zeroPoints.dtype)) sum = c.op('Sub', [sum, floatZeros(c.g, w, part, rows)]);
  }
  if (width > w.inFeatures)
    sum = c.op('Slice', [sum!, c.g.ints([0]), c.g.ints([w.inFeatures]), c.g.ints([1])]);
  return [c.rank(a) === 2 ? sum : c.reshape(sum!, a)];
};

export const nbits: Record<string, Rule> = { 'com.microsoft.MatMulNBits': nbitsRule };
