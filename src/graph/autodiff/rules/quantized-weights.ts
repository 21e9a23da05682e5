import { toAttribute } from '../../attributes';
import { isFloat } from '../../dtype';
import type { Node } from '../../model';
import { Barrier } from '../../pieces/barrier';
import { bnb4Rows } from '../../pieces/bnb4-pieces';
import { dequantizedRows, floatZeros, rowWidth } from '../../pieces/nbits-pieces';
import { piecesOf, times } from '../../pieces/row-pieces';
import { bnb4Of } from '../../quantized/bnb4';
import { isRouted } from '../../routed';
import { nbitsOf } from '../../quantized/nbits';
import type { Rule, RuleContext } from '../rule';

/**
 * Rounding is differentiated as if it was not there (Bengio et al., arXiv 1308.3432). The gradient of an integer is that of
 * the number it stands for.
 */
const dequantizeLinear: Rule = (c) => [c.dy[0]];

/** Values beyond the range, which rounding moves by more than half a step, get no gradient, as in PyTorch. */
const quantizeLinear: Rule = (c) => {
  const [x, scale, zero = ''] = c.x;
  const { attributes } = c.node;
  const of = new Map([...attributes].filter(([name]) => name === 'axis' || name === 'block_size'));
  if (of.has('block_size') || c.shape(scale).some((size) => size !== 1)) return [c.dy[0]];
  const number = c.op('DequantizeLinear', [c.y[0], scale, ...(zero ? [zero] : [])], Object.fromEntries(of));
  const moved = c.op('Abs', [c.op('Sub', [x, number])]);
  // Rounding errors of the comparison itself.
  const step = c.op('Mul', [scale, c.scalar(0.501, scale)]);
  return [c.where(c.op('LessOrEqual', [moved, step]), c.dy[0]!, x)];
};

/** dA = dY · Wᵀ with the dequantized W (in, out). */
const dynamicQuantizeMatMul: Rule = (c) => {
  if (!c.needs(0)) return [];
  const [a, weight, scale, zero = ''] = c.x;
  const outFeatures = c.extents.dim(weight, 1);
  const dy = c.rank(a) === 2 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, c.extents.vector([-1, outFeatures])]);
  const inputs = zero ? [weight, scale, zero] : [weight, scale];
  const w = dequantizeAfter(c, inputs, new Map([['axis', toAttribute(1)]]), dy);
  const da = c.op('Gemm', [dy, w], { transB: 1 });
  return [c.rank(a) === 2 ? da : c.reshape(da, a)];
};

export const straightThrough: Record<string, Rule> = {
  DequantizeLinear: dequantizeLinear,
  QuantizeLinear: quantizeLinear,
  'com.microsoft.DynamicQuantizeMatMul': dynamicQuantizeMatMul,
};

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
    const piece = dequantizedRows(c.g, w, rows, new Barrier(c.g, [sum ?? dy], isRouted(c.node)));
    sum = c.op('Gemm', sum === undefined ? [part, piece] : [part, piece, sum]);
    if (w.zeroPoints && isFloat(w.zeroPoints.dtype)) sum = c.op('Sub', [sum, floatZeros(c.g, w, part, rows)]);
  }
  if (width > w.inFeatures)
    sum = c.op('Slice', [sum!, c.g.ints([0]), c.g.ints([w.inFeatures]), c.g.ints([1])]);
  return [c.rank(a) === 2 ? sum : c.reshape(sum!, a)];
};

/** dA = dY · W, from the values of a table: the operator's own transposed product is wrong on the CPU (ONNX Runtime 1.30). */
const bnb4Rule: Rule = (c) => {
  if (!c.needs(0)) return [];
  const w = bnb4Of(c.node, (name) => c.g.graph.initializers.get(name));
  const [a] = c.x;
  const dy = c.rank(a) === 2 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, c.g.ints([-1, w.outFeatures])]);
  const da = times(c.g, dy, bnb4Rows(c.g, w, isRouted(c.node)));
  return [c.rank(a) === 2 ? da : c.reshape(da, a)];
};

export const fewBits: Record<string, Rule> = {
  'com.microsoft.MatMulNBits': nbitsRule,
  'com.microsoft.MatMulBnb4': bnb4Rule,
};

/**
 * Dequantizes a weight again once the gradient is there: otherwise it would stay in float32 from the forward pass to
 * the backward pass. Returns the weight itself if it is not a DequantizeLinear of constants.
 */
export function dequantizedAgain(c: RuleContext, weight: string, dy: string): string {
  const { initializers } = c.g.graph;
  const maker = initializers.has(weight) ? undefined : dequantizedIn(c).get(weight);
  if (!maker?.inputs.every((x) => x === '' || initializers.has(x))) return weight;
  return dequantizeAfter(c, maker.inputs, maker.attributes, dy);
}

interface Index {
  /** Nodes that are in it. */
  seen: number;
  byOutput: Map<string, Node>;
}

/** An index for each gradient graph. */
const indices = new WeakMap<RuleContext['extents'], Index>();

/** The DequantizeLinear nodes by their outputs. A search for each product would take seconds in a graph of thousands. */
function dequantizedIn({ g, extents }: RuleContext): ReadonlyMap<string, Node> {
  const index = indices.get(extents) ?? { seen: 0, byOutput: new Map<string, Node>() };
  indices.set(extents, index);
  const { nodes } = g.graph;
  for (; index.seen < nodes.length; index.seen++) {
    const node = nodes[index.seen];
    if (node.opType === 'DequantizeLinear') index.byOutput.set(node.outputs[0], node);
  }
  return index.byOutput;
}

/** @param inputs of DequantizeLinear: constants */
function dequantizeAfter(
  c: RuleContext,
  [weight, scale, ...zero]: readonly string[],
  attributes: Node['attributes'],
  dy: string,
): string {
  const after = new Barrier(c.g, [dy], isRouted(c.node));
  return c.op('DequantizeLinear', [weight, after.pass(scale), ...zero], Object.fromEntries(attributes));
}
